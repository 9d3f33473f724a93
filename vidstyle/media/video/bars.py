"""Black bars around the picture, as in letterboxing, which are not part of it."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from vidstyle.media.frame import Box, Frame, full_scale

_EVERY = 8  # one frame in so many is looked at
_DARK = 20 / 255  # the brightest that a bar gets
_STEADY = 16 / 255  # by which it changes, in place and time
_LEAST = 2  # rows or columns
_SOFT = 3  # pixels by which compression softens the picture's edge, both ways
_BRIGHT = 0.75  # share of the picture's edge that is brighter than a bar, at some time


class Bars:
    """Finds the bars while frames pass through."""

    def __init__(self) -> None:
        self._brightest: NDArray[np.float32] | None = None
        self._darkest: NDArray[np.float32] | None = None

    def watching(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yields the frames unchanged while looking at them."""
        for number, frame in enumerate(frames):
            if number % _EVERY == 0:
                self._look_at(frame)
            yield frame

    def picture(self) -> Box | None:
        """The box within the bars; None if there are none, or nothing else."""
        if self._brightest is None or self._darkest is None:
            return None
        brightest, darkest = self._brightest, self._darkest
        height, width = brightest.shape
        top, bottom = (_bar(brightest[::step], darkest[::step]) for step in (1, -1))
        left, right = (_bar(brightest.T[::step], darkest.T[::step]) for step in (1, -1))
        box = Box(left, top, width - right, height - bottom)
        return None if box == Box(0, 0, width, height) else box

    def _look_at(self, frame: Frame) -> None:
        values = frame.image.numpy().astype(np.float32) / full_scale(frame.image.dtype)
        most, least = values.max(axis=-1), values.min(axis=-1)
        if self._brightest is None or self._darkest is None:
            self._brightest, self._darkest = most, least
        else:
            np.maximum(self._brightest, most, out=self._brightest)
            np.minimum(self._darkest, least, out=self._darkest)


def _bar(brightest: NDArray[np.float32], darkest: NDArray[np.float32]) -> int:
    """Number of rows at the top that form a bar: black everywhere in all frames, up to a sharp
    edge, which black parts of the picture itself lack."""
    black = brightest.max(axis=1) <= _DARK
    rows = len(black) if black.all() else int(black.argmin())
    inside = rows + _SOFT
    if rows < _LEAST or inside >= len(black):
        return 0
    away = max(1, rows - _SOFT)
    steady = brightest[:away].max() - darkest[:away].min() <= _STEADY
    # Beside a bar on another side the edge is dark as well.
    lit = brightest.max(axis=0) > _DARK
    sharp = (brightest[inside, lit] > _DARK).mean() >= _BRIGHT
    return rows if steady and sharp else 0
