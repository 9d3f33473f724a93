"""Builds the flow estimator that the user named."""

import logging
from pathlib import Path

import torch

from vidstyle.choices import FLOWS
from vidstyle.errors import UsageError
from vidstyle.models import weights
from vidstyle.motion.cache import FlowCache
from vidstyle.motion.dis import FULL, DisFlow, Effort
from vidstyle.motion.estimator import FlowEstimator

_log = logging.getLogger(__name__)


def build_flow(
    name: str,
    device: torch.device,
    flow_size: int,
    cache: FlowCache | None = None,
    effort: Effort = FULL,
) -> FlowEstimator:
    """The estimator that ``--flow`` names.

    ``auto`` is the best RAFT whose weights are on this machine if ``device`` is CUDA, else DIS: on
    a CPU, RAFT takes about seventy times as long.

    Args:
        name: one of :data:`~vidstyle.choices.FLOWS`.
        device: where it runs (DIS always runs on the CPU).
        flow_size: largest short side, in pixels, that flow is estimated at.
        cache: of flows estimated before; None estimates every one.
        effort: search effort of DIS.

    Raises:
        UsageError: no such name, or ``flow_size`` is not positive.
        WeightsError: RAFT was asked for by name and its weights are missing or corrupt.
    """
    if flow_size < 1:
        raise UsageError(f"--flow-size {flow_size}: must be at least 1 pixel")
    if name == "auto":
        name, reason = _choose(device)
        # Users with CUDA want to know what is missing.
        level = logging.INFO if device.type == "cuda" and name == "dis" else logging.DEBUG
        _log.log(level, "optical flow by %s: %s", name, reason)
    if name not in FLOWS:
        raise UsageError(f"--flow {name}: no such estimator; use one of {', '.join(FLOWS)}")
    path = flow_weights(name)
    if path is None:
        return DisFlow(flow_size, cache, effort)
    # Importing torchvision takes two seconds.
    from vidstyle.motion.raft import RaftFlow

    return RaftFlow(name, path, device=device, flow_size=flow_size, cache=cache)


def flow_weights(name: str) -> Path | None:
    """The weights file of an estimator; None for one without weights.

    Args:
        name: one of :data:`~vidstyle.choices.FLOWS` except ``auto``.

    Raises:
        WeightsError: the file is not on this machine.
    """
    if name == "dis":
        return None
    return weights.require(_found(name) or name)


def _choose(device: torch.device) -> tuple[str, str]:
    """What ``auto`` resolves to, and why."""
    if device.type != "cuda":
        return "dis", f"RAFT is slow on {device.type}"
    if _found("raft-large"):
        return "raft-large", "its weights are on this machine"
    if _found("raft-small"):
        return "raft-small", "its weights are on this machine, those of raft-large are not"
    return "dis", "RAFT's weights are not on this machine; run `vidstyle models fetch raft-small`"


def _found(variant: str) -> str | None:
    """The registry's entry for a RAFT that is on this machine: the authors' or torchvision's."""
    entries = (variant, f"{variant}-torchvision")
    return next((entry for entry in entries if weights.find(entry)), None)
