"""Style models from other packages, by the entry-point group ``vidstyle.style_models``.

An entry point has the name that ``--model`` takes, and loads a function that takes a
``torch.device`` and returns a :class:`~vidstyle.style.model.StyleModel`:

    [project.entry-points."vidstyle.style_models"]
    onnx = "vidstyle_onnx:build"

Only the named package is ever imported.
"""

from importlib.metadata import EntryPoint, entry_points

import torch

from vidstyle.errors import VidstyleError, WeightsError
from vidstyle.style.model import StyleModel

GROUP = "vidstyle.style_models"


def plugins() -> dict[str, EntryPoint]:
    """Plug-ins of the installed packages, by name."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def load_plugin(entry: EntryPoint, device: torch.device) -> StyleModel:
    """
    Raises:
        WeightsError: the package fails, or does not return a style model.
        VidstyleError: passed on from the package.
    """
    try:
        model = entry.load()(device)
    except VidstyleError:
        raise
    except Exception as error:
        # A failure in third-party code is that package's bug, not ours.
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
    """The package that provides a model, with its version."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
