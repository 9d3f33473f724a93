"""Choice of the flow that scores a result: never the one that the render used."""

import json
import logging
from collections.abc import Iterable
from pathlib import Path

import torch

from vidstyle.choices import FLOWS
from vidstyle.errors import UsageError, WeightsError
from vidstyle.evaluate.correspondence import EstimatedFlow, Judge, TrueFlow
from vidstyle.models import weights
from vidstyle.motion.build import build_flow
from vidstyle.motion.cache import FlowCache
from vidstyle.runtime.nesting import parsed

_log = logging.getLogger(__name__)

#: Best first.
_ESTIMATORS = ("raft-large", "raft-small", "dis")


def flows_used(reports: Iterable[Path]) -> set[str]:
    """Estimators that renders used, according to their reports (``render --report``).

    Raises:
        UsageError: a file is not a render report.
    """
    return {name for report in reports if (name := _flow_of(report)) != "none"}


def choose_judge(
    name: str,
    used: set[str],
    *,
    device: torch.device,
    flow_size: int,
    first_number: int,
    cache: FlowCache | None = None,
) -> Judge:
    """The judge that ``--flow`` names; ``auto`` is the best available one that no render used.

    RAFT's two sizes count as one there: trained on the same data, they make similar errors.

    Args:
        name: one of :data:`vidstyle.choices.FLOWS`, or a folder of true flows.
        used: estimators that the renders of the results used.
        device, flow_size, cache: as in :func:`vidstyle.motion.build.build_flow`.
        first_number: see :class:`TrueFlow`.

    Raises:
        UsageError: no such estimator or folder, or the render used the same one.
        WeightsError: its weights, or those of every unused one, are not on this machine.
        MediaError: the folder holds no flows.
    """
    if name not in FLOWS:
        if not Path(name).is_dir():
            raise UsageError(
                f"--flow {name}: neither a folder of .flo files nor one of {', '.join(FLOWS)}"
            )
        return TrueFlow(Path(name), first_number)
    if name == "auto":
        name = _unused(used)
        reason = f"the render used {', '.join(sorted(used))}" if used else "no --report is given"
        _log.info("motion is judged by %s (%s)", name, reason)
    elif name in used:
        raise UsageError(
            f"--flow {name}: the render used it, so it would judge itself; use auto or another"
        )
    if not used and name == "dis":
        _log.warning(
            "flow: judged by dis, which renders on a CPU use too; give --report to be sure"
        )
    return EstimatedFlow(build_flow(name, device, flow_size, cache))


def _unused(used: set[str]) -> str:
    families = {name.partition("-")[0] for name in used}
    free = [name for name in _ESTIMATORS if name.partition("-")[0] not in families]
    found = next((name for name in free if _here(name)), None)
    if found is None:
        raise WeightsError(
            f"--flow auto: the render used {', '.join(sorted(used))}, and no other estimator is on "
            "this machine; run `vidstyle models fetch raft-small`, or give a folder of true flows"
        )
    return found


def _here(name: str) -> bool:
    return name == "dis" or any(weights.find(entry) for entry in (name, f"{name}-torchvision"))


def _flow_of(report: Path) -> str:
    try:
        return str(parsed(json.loads, report.read_text(encoding="utf-8"))["parts"]["flow"])
    except OSError as error:
        raise UsageError(f"--report {report}: cannot be read ({error.strerror})") from None
    except (ValueError, LookupError, TypeError):
        raise UsageError(f"--report {report}: not a report of `vidstyle render`") from None
