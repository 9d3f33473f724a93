"""Training records: ``curves.jsonl``, and TensorBoard's files."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from vidstyle.runtime.nesting import parsed

CURVES = "curves.jsonl"

log = logging.getLogger(__name__)


class Record:
    """The record of one phase; must be closed."""

    def __init__(self, folder: Path, start: int) -> None:
        """
        Args:
            start: the step that the run resumes from; records from it on are dropped.
        """
        path = folder / CURVES
        kept = [entry for entry in read_curves(folder) if entry["step"] < start]
        path.write_text("".join(json.dumps(entry) + "\n" for entry in kept), encoding="utf-8")
        self._curves = path.open("a", encoding="utf-8", buffering=1)
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=start)

    def write(self, step: int, entries: Mapping[str, float]) -> None:
        """
        Args:
            entries: terms of the loss, ``loss``, ``rate``, ``norm``; and, in steps that end with a
                validation, its values as ``validation/…``.
        """
        self._curves.write(json.dumps({"step": step, **entries}) + "\n")
        for name, value in entries.items():
            tag = name if "/" in name else f"training/{name}"
            self._board.add_scalar(tag, value, step)

    def close(self) -> None:
        self._curves.close()
        self._board.close()


def read_curves(folder: Path) -> list[dict[str, float]]:
    """The entries of ``curves.jsonl``, in order of steps; empty if there is no file."""
    path = folder / CURVES
    if not path.exists():
        return []
    entries: list[dict[str, float]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entries.append(parsed(json.loads, line))
        except ValueError:
            log.warning("%s: a broken line is left out", path)
    return entries
