"""Local style transfer for video.

    import vidstyle

    report = vidstyle.render("in.mp4", object="person", style="art.jpg", output="out.mov")
    mattes = vidstyle.find("in.mp4", "person")
    keys = vidstyle.paint("in.mp4", object="person", style="art.jpg", key=20, output="key.png")
    model = vidstyle.load_model("micro")
    look = model.fit(frames, "art.jpg", masks=masks)
    out = model(frames, look, masks=masks, strength=0.8)

The names listed here are public and documented where they are defined; everything else may change
between versions. Names are loaded on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidstyle.api import FoundMattes, find, paint, render
    from vidstyle.errors import (
        BatchError,
        Cancelled,
        DeviceError,
        MediaError,
        ObjectNotFoundError,
        QualityError,
        UsageError,
        VidstyleError,
        WeightsError,
    )
    from vidstyle.options import QualityOptions, RenderOptions
    from vidstyle.pipeline.report import Report
    from vidstyle.predictor import Look, Model, load_model
    from vidstyle.runtime.progress import CancelToken, Step

__version__ = "0.2.0"

__all__ = [
    "BatchError",
    "CancelToken",
    "Cancelled",
    "DeviceError",
    "FoundMattes",
    "Look",
    "MediaError",
    "Model",
    "ObjectNotFoundError",
    "QualityError",
    "QualityOptions",
    "RenderOptions",
    "Report",
    "Step",
    "UsageError",
    "VidstyleError",
    "WeightsError",
    "find",
    "load_model",
    "paint",
    "render",
]

_HOMES = {
    "api": ("FoundMattes", "find", "paint", "render"),
    "options": ("QualityOptions", "RenderOptions"),
    "predictor": ("Look", "Model", "load_model"),
    "runtime.progress": ("CancelToken", "Step"),
    "pipeline.report": ("Report",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
