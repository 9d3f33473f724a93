"""The plan as an Open Job Description template, for Deadline Cloud and ``openjd``.

``jobtemplate-2023-09`` with ``TASK_CHUNKING``: https://github.com/OpenJobDescription. User input is
never part of a command: it is a job parameter that the command refers to, so nothing in a name can
be mistaken for a reference, an option or shell syntax. Paths are parameters of type PATH, for path
mapping.
"""

from collections.abc import Iterable
from typing import Any

from vidstyle.errors import UsageError
from vidstyle.farm.plan import Argument, Kind, Plan
from vidstyle.runtime.extras import needs_extra

EXTENSIONS = ["TASK_CHUNKING"]

ANALYSE, RENDER, JOIN = "Analyse", "Render", "Join"
"""Names of the steps."""

SEGMENTS = "Segments"
"""The task parameter of :data:`RENDER`."""

_PATHS = {
    Kind.FILE_IN: ("FILE", "IN"),
    Kind.FOLDER_IN: ("DIRECTORY", "IN"),
    Kind.FOLDER: ("DIRECTORY", "INOUT"),
    Kind.FILE_OUT: ("FILE", "OUT"),
}


def template(plan: Plan) -> dict[str, Any]:
    """The template, validated by Open Job Description's own model.

    Raises:
        UsageError: the extra is not installed, or a name is longer than the format allows.
    """
    arguments = [*plan.analyse(), *plan.join()]
    content = {
        "specificationVersion": "jobtemplate-2023-09",
        "extensions": EXTENSIONS,
        "name": "{{Param.Title}}",
        "parameterDefinitions": [
            {"name": "Title", "type": "STRING", "default": plan.title},
            {
                "name": "SegmentsPerTask",
                "type": "INT",
                "default": plan.chunk,
                "minValue": 1,
                "description": "Each task loads the models once.",
            },
            *_definitions(arguments),
        ],
        "steps": [
            _step(plan, ANALYSE, plan.analyse()),
            _step(plan, RENDER, plan.render(Argument(f"{{{{Task.Param.{SEGMENTS}}}}}")), ANALYSE)
            | {"parameterSpace": {"taskParameterDefinitions": [_chunks(plan)]}},
            _step(plan, JOIN, plan.join(), RENDER),
        ],
    }
    _check(content)
    return content


def path_values(plan: Plan) -> dict[str, str]:
    """Parameters without a default, since the format allows none for absolute paths."""
    arguments = [*plan.analyse(), *plan.join()]
    return {each.name: each.text for each in arguments if each.kind in _PATHS}


def _check(content: dict[str, Any]) -> None:
    with needs_extra("farm", "an Open Job Description template"):
        from openjd.model import DecodeValidationError, decode_job_template
    try:
        decode_job_template(template=content, supported_extensions=EXTENSIONS)
    except DecodeValidationError as error:
        raise UsageError(f"a job template cannot express this: {error}") from None


def _definitions(arguments: Iterable[Argument]) -> Iterable[dict[str, Any]]:
    for each in {each.name: each for each in arguments if each.name}.values():
        if each.kind is Kind.STRING:
            yield {"name": each.name, "type": "STRING", "default": each.text}
        else:
            kind, flow = _PATHS[each.kind]
            yield {"name": each.name, "type": "PATH", "objectType": kind, "dataFlow": flow}
        if each.within:
            yield {"name": f"{each.name}Pattern", "type": "STRING", "default": each.within}


def _step(plan: Plan, name: str, command: list[Argument], after: str | None = None) -> Any:
    words = [_word(each) for each in command]
    limits = plan.limits
    amounts = {
        "amount.worker.gpu": limits.gpus,
        "amount.worker.gpu.memory": limits.gpu_memory,
        "amount.worker.memory": limits.memory,
    }
    if name == JOIN:
        amounts = {"amount.worker.memory": limits.memory}
    step: dict[str, Any] = {
        "name": name,
        "hostRequirements": {
            "amounts": [{"name": each, "min": least} for each, least in amounts.items() if least]
        },
        "script": {
            "actions": {
                "onRun": {
                    "command": words[0],
                    "args": [*words[1:], "--progress", "openjd"],
                    "timeout": 60 * limits.minutes,
                    "cancelation": {
                        "mode": "NOTIFY_THEN_TERMINATE",
                        "notifyPeriodInSeconds": limits.notice,
                    },
                }
            }
        },
    }
    if not step["hostRequirements"]["amounts"]:
        del step["hostRequirements"]
    if after is not None:
        step["dependencies"] = [{"dependsOn": after}]
    return step


def _word(argument: Argument) -> str:
    if not argument.name:
        return argument.text
    word = f"{{{{Param.{argument.name}}}}}"
    return f"{word}/{{{{Param.{argument.name}Pattern}}}}" if argument.within else word


def _chunks(plan: Plan) -> dict[str, Any]:
    return {
        "name": SEGMENTS,
        "type": "CHUNK[INT]",
        "range": f"0-{plan.segments - 1}",
        "chunks": {
            "defaultTaskCount": "{{Param.SegmentsPerTask}}",
            "rangeConstraint": "CONTIGUOUS",
        },
    }
