"""The plan as a script that submits three Slurm jobs, the second one an array."""

import shlex
from collections.abc import Iterable

from vidstyle.farm.plan import Argument, Plan

_SCRIPT = """\
#!/bin/bash
# {title}
# Submits analysis, an array of {tasks} render tasks, and the join, each after the one before. The
# join comes whatever became of the tasks, and renders what they left undone.
# Further options of sbatch may be given: bash <this file> --partition=gpu
set -euo pipefail

common=({common} "$@")
analyse=$(sbatch --parsable "${{common[@]}}"{gpus} --job-name={name}-analyse \\
    --wrap={analyse})
render=$(sbatch --parsable "${{common[@]}}"{gpus} --job-name={name}-render \\
    --dependency="afterok:$analyse" --array=0-{last} \\
    --wrap={render})
join=$(sbatch --parsable "${{common[@]}}"{gpus} --job-name={name}-join \\
    --dependency="afterany:$render" \\
    --wrap={join})
echo "analyse $analyse, render $render, join $join"
"""

# The task's shell computes the segment numbers; Slurm counts tasks, not segments.
_SEGMENTS = (
    '"$((SLURM_ARRAY_TASK_ID * {chunk}))-'
    "$(((SLURM_ARRAY_TASK_ID + 1) * {chunk} > {count} ? {count} - 1"
    ' : (SLURM_ARRAY_TASK_ID + 1) * {chunk} - 1))"'
)


def slurm_script(plan: Plan) -> str:
    """A bash script. All user input is quoted, twice where a shell passes it on."""
    limits, last = plan.limits, len(plan.tasks()) - 1
    common = [
        f"--time={limits.minutes}",
        # B: to the batch shell, whose place vidstyle takes (exec): it cleans up before the time is
        # over. Without B: only steps get the signal, and these jobs have none.
        f"--signal=B:TERM@{limits.notice}",
        *([f"--mem={limits.memory}M"] if limits.memory else []),
    ]
    segments = _SEGMENTS.format(chunk=plan.chunk, count=plan.segments)
    # A placeholder for the expression, which itself must not be quoted.
    mark = Argument("\0")
    return _SCRIPT.format(
        title=plan.title,
        tasks=last + 1,
        last=last,
        name="vidstyle",
        common=" ".join(common),
        gpus=f" --gpus={limits.gpus}" if limits.gpus else "",
        analyse=_wrapped(plan.analyse()),
        render=_wrapped(plan.render(mark), {"\0": segments}),
        join=_wrapped(plan.join()),
    )


def _wrapped(command: Iterable[Argument], expressions: dict[str, str] | None = None) -> str:
    """A command as one word of the script."""
    texts = [f"{each.text}/{each.within}" if each.within else each.text for each in command]
    words = [(expressions or {}).get(text) or shlex.quote(text) for text in texts]
    return shlex.quote(f"exec {' '.join(words)}")
