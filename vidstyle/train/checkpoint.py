"""Checkpoints: written atomically, and resumed only by the run that they belong to."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from vidstyle.errors import UsageError, WeightsError
from vidstyle.runtime.atomic import replacing

NAME = "checkpoint.pt"


def save_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Replace the folder's checkpoint; a run that dies meanwhile leaves the previous one."""
    with replacing(folder / NAME) as file:
        torch.save(dict(state), file)


def has_checkpoint(folder: Path) -> bool:
    """Whether a run left a checkpoint in a folder."""
    return (folder / NAME).exists()


def load_checkpoint(folder: Path, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The folder's checkpoint, on the CPU; None where there is none.

    Args:
        config: flat; must equal the checkpoint's ``config``.

    Raises:
        UsageError: it belongs to a run with another config.
        WeightsError: it cannot be read.
    """
    if not has_checkpoint(folder):
        return None
    path = folder / NAME
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        made_with = state["config"]
    # A damaged archive or pickle can raise any of these.
    except (OSError, RuntimeError, LookupError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise WeightsError(f"{path}: cannot be read ({reason}); start again: --overwrite") from None
    for key in sorted(made_with.keys() | config.keys()):
        before, now = made_with.get(key), config.get(key)
        if before != now:
            raise UsageError(
                f"{path}: was made with {key} = {before}, not {now}; go back to that, or start "
                "again with --overwrite"
            )
    return state
