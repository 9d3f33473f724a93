"""OpenColorIO: colour spaces by name, and the pairs of transforms between them.

The only module that imports it; the ``post`` extra installs it. ``$OCIO`` names the config; without
it a built-in ACES config is used, pinned so that a new OpenColorIO changes no picture.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidstyle.errors import UsageError

BUILT_IN = "ocio://studio-config-v2.2.0_aces-v1.3_ocio-v2.4"
"""ACES 1.3 with the cameras' log spaces."""

Colours = NDArray[np.float32]
"""(..., 3) RGB."""

Transform = Callable[[Colours], Colours]
"""Maps colours to new ones."""


def unchanged(colours: Colours) -> Colours:
    """The identity."""
    return colours


@dataclass(frozen=True)
class Pair:
    """A transform and its inverse."""

    to: Transform
    back: Transform


SAME = Pair(unchanged, unchanged)


class Config:
    """An OCIO config.

    Attributes:
        name: the file or the built-in config.
    """

    def __init__(self) -> None:
        """Raises UsageError when OpenColorIO is not installed, or cannot read ``$OCIO``."""
        self.name = os.environ.get("OCIO") or BUILT_IN
        self._ocio = _library()
        try:
            self._config = self._ocio.Config.CreateFromFile(self.name)
        except (self._ocio.Exception, self._ocio.ExceptionMissingFile) as error:
            reason = str(error).splitlines()[0]
            raise UsageError(
                f"OCIO={self.name}: not a readable colour config ({reason}); "
                "correct it, or unset it"
            ) from None

    @cached_property
    def view(self) -> tuple[str, str]:
        """The display and view for looking at pictures: the config's defaults, which
        ``$OCIO_ACTIVE_DISPLAYS`` and ``$OCIO_ACTIVE_VIEWS`` select."""
        display = self._config.getDefaultDisplay()
        return display, self._config.getDefaultView(display)

    @cached_property
    def linear(self) -> str:
        """The space for scene-linear work.

        Raises:
            UsageError: the config has none.
        """
        space = self._config.getColorSpace("scene_linear")
        if space is None:
            raise UsageError(f"{self.name}: has no role scene_linear; add it to the config")
        return str(space.getName())

    def space(self, name: str) -> str:
        """The canonical name of a space given by its name, an alias or a role.

        Raises:
            UsageError: no such space; the message lists the closest names.
        """
        found = self._find(name)
        if found is None:
            nearest = get_close_matches(name, self._names(), 3, 0.4)
            raise UsageError(
                f"--colorspace {name}: no such colour space in {self.name}; "
                + (f"nearest: {', '.join(nearest)}" if nearest else "look into the config")
            )
        return str(found.getName())

    def pair_named(self, text: str) -> tuple[str, str | None]:
        """``IN[:OUT]`` as two spaces; names may contain colons themselves.

        Raises:
            UsageError: see :meth:`space`.
        """
        if self._find(text) is not None or ":" not in text:
            return self.space(text), None
        pieces = text.split(":")
        for cut in range(1, len(pieces)):
            source, target = ":".join(pieces[:cut]), ":".join(pieces[cut:])
            if self._find(source) is not None and self._find(target) is not None:
                return self.space(source), self.space(target)
        return self.space(pieces[0]), self.space(":".join(pieces[1:]))

    def space_of_file(self, path: str, told: str | None) -> str:
        """The space of a picture file: the one it states, if the config has it, else by the
        config's file rules."""
        # Interop IDs end in a suffix that older configs omit.
        for name in (told, told and told.removesuffix("_scene")):
            if name and (found := self._find(name)) is not None:
                return str(found.getName())
        return str(self._config.getColorSpaceFromFilepath(path)[0])

    def aliases(self, name: str) -> Sequence[str]:
        """All names of a space, its interop ID first if it has one."""
        space = self._config.getColorSpace(name)
        return [*filter(None, [space.getInteropID()]), name, *space.getAliases()]

    def is_linear(self, name: str) -> bool:
        """Whether values are proportional to the light of the scene."""
        return self._encoding(name) == "scene-linear"

    def is_viewable(self, name: str) -> bool:
        """Whether code values can be viewed as they are on a standard-range display."""
        return self._encoding(name) == "sdr-video"

    def between(self, source: str, target: str) -> Transform:
        """From one space to another."""
        return _applied(self._config.getProcessor(source, target))

    def looked_at(self, name: str) -> Pair:
        """From a space to the view's code values, in [0, 1] within the display's range; and back,
        as far as the view can be inverted."""
        display, view = self.view
        both = [
            self._ocio.DisplayViewTransform(src=name, display=display, view=view, direction=way)
            for way in (
                self._ocio.TRANSFORM_DIR_FORWARD,
                self._ocio.TRANSFORM_DIR_INVERSE,
            )
        ]
        return Pair(*(_applied(self._config.getProcessor(way)) for way in both))

    def view_space(self) -> str:
        """The space of the view's code values."""
        display, view = self.view
        name = self._config.getDisplayViewColorSpaceName(display, view)
        return display if name == "<USE_DISPLAY_NAME>" else str(name)

    def _encoding(self, name: str) -> str:
        return str(self._config.getColorSpace(name).getEncoding())

    def _find(self, name: str) -> Any:
        return self._config.getColorSpace(name)

    def _names(self) -> list[str]:
        spaces = self._config.getColorSpaces()
        return [name for space in spaces for name in (space.getName(), *space.getAliases())]


def _library() -> Any:
    try:
        return import_module("PyOpenColorIO")
    except ImportError:
        raise UsageError(
            "colour spaces need OpenColorIO; install it: pip install 'vidstyle[post]'"
        ) from None


def _applied(processor: Any) -> Transform:
    if processor.isNoOp():
        return unchanged
    on_cpu = processor.getDefaultCPUProcessor()

    def apply(colours: Colours) -> Colours:
        result: Colours = np.array(colours, np.float32, order="C", copy=True)
        if result.size:
            on_cpu.applyRGB(result)
        return result

    return apply
