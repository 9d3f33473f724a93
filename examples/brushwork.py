"""Tools for painting by script: noise, streamlines, and a brush with bristles and thick paint.

Everything works on square canvases whose sides run from 0 to 1; a canvas of ``side`` pixels is
painted at that size. Colours are RGB in [0, 1].
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

STEP = 4.0
"""Pixels between the points of a line."""


def noise(side: int, cells: int, random: np.random.Generator, octaves: int = 1) -> Array:
    """Smooth noise of mean 0 and standard deviation 1: (side, side).

    Args:
        cells: bumps along a side in the coarsest octave.
        octaves: each has twice the bumps of the one before, at half the height.
    """
    total = np.zeros((side, side), np.float32)
    for octave in range(octaves):
        count = cells * 2**octave
        # Three cells more than are shown, so that the cubic at the border has its neighbours.
        coarse = random.normal(size=(count + 3, count + 3)).astype(np.float32)
        step = side / count
        columns, rows = np.meshgrid(np.arange(side), np.arange(side))
        x, y = (columns / step + 1).astype(np.float32), (rows / step + 1).astype(np.float32)
        total += np.asarray(cv2.remap(coarse, x, y, cv2.INTER_CUBIC), np.float32) / 2**octave
    return np.asarray((total - total.mean()) / total.std(), np.float32)


def ramp(values: Array, colours: list[str]) -> Array:
    """Values in [0, 1] to colours along a ramp of hexadecimal codes: (..., 3)."""
    stops = np.linspace(0, 1, len(colours))
    table = np.array([colour(code) for code in colours])
    channels = [np.interp(values, stops, table[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def colour(code: str) -> Array:
    """``"e8a33d"`` to its RGB."""
    return np.array([int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)], np.float32)


def streamlines(starts: NDArray[np.float64], angle: Array, count: int) -> NDArray[np.float64]:
    """Lines along a field of directions: (lines, count, 2), in pixels.

    Args:
        starts: (lines, 2).
        angle: (side, side), radians; 0 points right, a quarter turn down.
        count: of points on each line, ``STEP`` pixels apart.
    """
    side = angle.shape[0]
    points = [starts]
    for _ in range(count - 1):
        x, y = np.clip(points[-1], 0, side - 1).astype(int).T
        turn = angle[y, x].astype(np.float64)
        points.append(points[-1] + STEP * np.stack([np.cos(turn), np.sin(turn)], axis=1))
    return np.stack(points, axis=1)


class Canvas:
    """Paint, and how thick it lies.

    Args:
        ground: (side, side, 3), the primed canvas.
    """

    def __init__(self, ground: Array) -> None:
        self.side = ground.shape[0]
        # Red, green, blue, and the height of the paint, so that one stroke lays down all four.
        self._paint = np.full((self.side, self.side, 4), 90, np.uint8)
        self._paint[..., :3] = (ground * 255).round().clip(0, 255)

    def stroke(
        self,
        path: NDArray[np.float64],
        paint: Array,
        width: float,
        random: np.random.Generator,
        *,
        variation: float = 0.05,
    ) -> None:
        """One stroke of a flat brush along ``path`` (n, 2), in pixels.

        Args:
            paint: its colour.
            width: of the brush, in pixels.
            variation: how much the colour differs from bristle to bristle.
        """
        tangent = np.gradient(path, axis=0)
        normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
        # A loaded brush: full in the middle of the stroke, drawn together at its ends.
        along = np.linspace(0, 1, len(path))
        body = np.minimum(1, 5 * np.minimum(along, 1 - along) + 0.35)[:, None]
        count = max(3, round(width / 2))
        thickness = max(1, math.ceil(1.5 * width / count))
        offsets = np.linspace(-0.5, 0.5, count)
        bristles = path + offsets[:, None, None] * (normal * width * body)
        shades = paint + random.normal(0, variation, (count, 1))
        shades = shades + random.normal(0, variation / 3, (count, 3))
        # Paint piles up at the sides of a stroke.
        heights = (110 + 70 * np.abs(2 * offsets) ** 3 + random.normal(0, 22, count)) / 255
        codes = np.concatenate([shades, heights[:, None]], axis=1).clip(0, 1) * 255
        points = (bristles * 8).round().astype(np.int32)
        skips = random.integers(0, max(1, len(path) // 5), count)
        for bristle, code, skip in zip(points, codes.tolist(), skips, strict=True):
            line = [bristle[skip:]]
            cv2.polylines(self._paint, line, False, code, thickness, cv2.LINE_AA, 3)

    def cover(
        self,
        picture: Array,
        angle: Array,
        *,
        strokes: int,
        width: float,
        length: float,
        random: np.random.Generator,
        variation: float = 0.05,
        where: Array | None = None,
    ) -> None:
        """Paints ``picture`` with strokes along a field of directions.

        Args:
            picture: (side, side, 3), where each stroke takes its colour.
            angle: (side, side), radians.
            strokes: how many.
            width, length: of a stroke, in pixels; both vary by a third.
            where: (side, side), the chance that a stroke is made; None is everywhere.
        """
        # Some begin outside, or the border that strokes lead away from would stay bare.
        starts = random.uniform(-length / 2, self.side + length / 2, (strokes, 2))
        if where is not None:
            x, y = self._pixels(starts).T
            starts = starts[random.uniform(size=strokes) < where[y, x]]
        paths = streamlines(starts, angle, max(4, round(1.33 * length / STEP)))
        for path in paths:
            x, y = self._pixels(path[0])
            short, broad = random.uniform(0.5, 1), random.uniform(0.67, 1.33)
            drawn = path[: max(3, round(len(path) * short))]
            self.stroke(drawn, picture[y, x], width * broad, random, variation=variation)

    def _pixels(self, points: NDArray[np.float64]) -> NDArray[np.intp]:
        """The nearest pixels (..., 2) on the canvas, x and y."""
        return points.clip(0, self.side - 1).astype(np.intp)

    def lit(self, side: int) -> NDArray[np.uint8]:
        """The painting at ``side`` pixels, lit from the upper left so that the paint stands out."""
        height = cv2.GaussianBlur(self._paint[..., 3].astype(np.float32) / 255, (0, 0), 0.8)
        slope = cv2.Sobel(height, cv2.CV_32F, 1, 0) + cv2.Sobel(height, cv2.CV_32F, 0, 1)
        light = 1 + 0.2 * np.tanh(slope)[..., None]
        painting = (self._paint[..., :3] * light).clip(0, 255).astype(np.uint8)
        return np.asarray(
            cv2.resize(painting, (side, side), interpolation=cv2.INTER_AREA), np.uint8
        )
