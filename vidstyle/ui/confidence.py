"""Confidence of a render's mattes, frame by frame, as a clickable strip."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidstyle.segment.mattes.lost import DOUBTFUL
from vidstyle.ui.selection import Image

#: Height and width of a strip, in pixels.
STRIP = (96, 960)

_GROUND = (225, 225, 225)
_SURE, _POOR = (0, 140, 80), (213, 94, 0)


@dataclass(frozen=True)
class Confidences:
    """Confidences of a finished render.

    Attributes:
        first: first rendered frame.
        frames: for each frame, the confidence of its least certain object, 0 to 1.
    """

    first: int
    frames: tuple[float, ...]

    @classmethod
    def of(cls, first: int, objects: Sequence[Sequence[float]]) -> "Confidences":
        """Combine the confidences of all objects; a whole-frame object has none."""
        return cls(first, tuple(min(each) for each in zip(*objects, strict=True)))

    def drawn(self) -> Image:
        """A bar for each frame, as high as its confidence, in another colour if it is doubtful:
        (H, W, 3) RGB."""
        height, width = STRIP
        place = np.arange(width) * len(self.frames) // width
        confidence = np.array(self.frames)[place]
        colours = np.where(confidence[:, None] < DOUBTFUL, _POOR, _SURE)
        rows = height - np.arange(height)[:, None]
        bars = rows <= np.maximum(confidence * height, 2)
        return np.where(bars[..., None], colours, _GROUND).astype(np.uint8)

    def frame_at(self, x: int) -> int:
        """The frame whose bar is at column ``x``."""
        place = min(max(x, 0), STRIP[1] - 1) * len(self.frames) // STRIP[1]
        return self.first + place
