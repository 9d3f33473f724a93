"""Models of the transformers library, loaded from a folder laid out as published."""

from pathlib import Path
from typing import Any

from transformers.utils.logging import disable_progress_bar

from vidstyle.errors import WeightsError


def load_pretrained(
    folder: Path, name: str, files: str, model: Any, processor: Any
) -> tuple[Any, Any]:
    """The model and its processor. Nothing is downloaded, and no pickle is read.

    Args:
        name: what the model is called.
        files: what the folder must contain.
        model, processor: their classes.

    Raises:
        WeightsError: the folder does not contain such a model.
    """
    disable_progress_bar()
    try:
        return (
            model.from_pretrained(folder, local_files_only=True, use_safetensors=True),
            processor.from_pretrained(folder, local_files_only=True),
        )
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise WeightsError(
            f"{folder}: no {name} model can be read there ({reason[:120]}); give a folder with "
            f"{files}"
        ) from None
