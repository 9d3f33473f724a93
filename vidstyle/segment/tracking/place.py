"""An object's position and size: the coordinate system of its remembered appearance."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.media.frame import Box
from vidstyle.segment.clip import Plane
from vidstyle.segment.tracking.affine import Affine

EXTENT = 2.0  # The object's coordinates reach this many times its size to each side.
SHAPE_SIDE = 64  # side of a shape, in pixels
_REACH = 1.3  # half side of the window, in lengths of the object


@dataclass(frozen=True)
class Place:
    """An object's centre (x, y) in pixels, its ``size`` (square root of its box's area), and its
    ``length`` (longer side of its box)."""

    x: float
    y: float
    size: float
    length: float

    @classmethod
    def around(cls, box: Box) -> "Place":
        """The place of an object that fills a box."""
        size = max(12.0, (box.width * box.height) ** 0.5)
        return cls(
            (box.x0 + box.x1) / 2,
            (box.y0 + box.y1) / 2,
            size,
            max(size, box.width, box.height),
        )

    def moved(self, motion: Affine, limit: int) -> "Place":
        """Moved by the object's own motion; its size changes by 7 % per frame at most, and does
        not exceed ``limit`` pixels."""
        dx, dy = motion.at(self.x, self.y)
        size = float(np.clip(self.size * np.clip(motion.growth, 0.93, 1.07), 12.0, limit))
        return Place(self.x + dx, self.y + dy, size, self.length * size / self.size)

    def shifted(self, dx: float, dy: float) -> "Place":
        """Moved by (dx, dy) pixels."""
        return Place(self.x + dx, self.y + dy, self.size, self.length)

    def drawn_to(self, box: Box, share: float) -> "Place":
        """Its centre moved ``share`` of the way to the middle of a box, against drift."""
        x = self.x + share * ((box.x0 + box.x1) / 2 - self.x)
        y = self.y + share * ((box.y0 + box.y1) / 2 - self.y)
        return Place(x, y, self.size, self.length)

    def window(self, frame: tuple[int, int]) -> Box | None:
        """The part of a frame (H, W) that the object and its surroundings fill; None if hardly any
        of it is inside the frame."""
        reach = _REACH * self.length
        x0, x1 = (int(np.clip(self.x + r, 0, frame[1])) for r in (-reach, reach))
        y0, y1 = (int(np.clip(self.y + r, 0, frame[0])) for r in (-reach, reach))
        return Box(x0, y0, x1, y1) if min(x1 - x0, y1 - y0) >= 10 else None

    def cells(self, window: Box, count: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The cell, out of ``count``, that each row and each column of a window falls into."""
        scale = count / (2 * EXTENT * self.size)
        rows = (np.arange(window.y0, window.y1) - self.y) * scale + count / 2
        columns = (np.arange(window.x0, window.x1) - self.x) * scale + count / 2
        return (
            np.clip(rows, 0, count - 1).astype(np.int32),
            np.clip(columns, 0, count - 1).astype(np.int32),
        )

    def shape_of(self, plane: Plane) -> Plane:
        """A frame's plane (H, W) in the object's coordinates (SHAPE_SIDE, SHAPE_SIDE)."""
        return np.asarray(
            cv2.warpAffine(
                plane,
                self._to_frame(Box(0, 0, 0, 0)),
                (SHAPE_SIDE, SHAPE_SIDE),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            ),
            np.float32,
        )

    def shape_in(self, shape: Plane, window: Box) -> Plane:
        """A shape from ``shape_of``, mapped back to a window of the frame."""
        return np.asarray(
            cv2.warpAffine(shape, self._to_frame(window), (window.width, window.height)),
            np.float32,
        )

    def _to_frame(self, window: Box) -> NDArray[np.float64]:
        scale = 2 * EXTENT * self.size / SHAPE_SIDE
        left, top = self.x - EXTENT * self.size, self.y - EXTENT * self.size
        return np.array([[scale, 0, left - window.x0], [0, scale, top - window.y0]])
