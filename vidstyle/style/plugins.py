"""Style models that other packages bring, by the entry-point group ``vidstyle.style_models``.

An entry point has the name that ``--model`` takes, and loads to a function of a ``torch.device``
that returns a :class:`~vidstyle.style.model.StyleModel`:

    [project.entry-points."vidstyle.style_models"]
    onnx = "vidstyle_onnx:build"

Only the package that is named is ever imported.
"""

from importlib.metadata import EntryPoint, entry_points

import torch

from vidstyle.errors import VidstyleError, WeightsError
from vidstyle.style.model import StyleModel

GROUP = "vidstyle.style_models"


def plugins() -> dict[str, EntryPoint]:
    """Those of the packages that are installed, by name."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def load_plugin(entry: EntryPoint, device: torch.device) -> StyleModel:
    """
    Raises:
        WeightsError: the package fails, or what it returns is no style model.
        VidstyleError: as the package raises it.
    """
    try:
        model = entry.load()(device)
    except VidstyleError:
        raise
    except Exception as error:
        # Whatever another's code does wrong is that package's matter, not a bug of this one.
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise WeightsError(
            f"--model {entry.name}: {package_of(entry)} cannot be loaded ({reason}); install it "
            "again"
        ) from error
    if not isinstance(model, StyleModel):
        raise WeightsError(
            f"--model {entry.name}: what {package_of(entry)} returns is no style model; it must "
            "have what vidstyle.style.model.StyleModel lists"
        )
    return model


def package_of(entry: EntryPoint) -> str:
    """The package that brings a model, with its version."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
