"""The guided filter (He, Sun & Tang, PAMI 2013) with a colour guide."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.segment.clip import Image, Plane, resized
from vidstyle.segment.mattes.store import Matte, bounding_box

# Variance, of colours 0 to 1, below which a matte's picture counts as flat.
_EPSILON = 4e-4


class GuidedFilter:
    """Smooths planes along the edges of one picture.

    In every window the result is a linear function of the guide's colour (eq. 19 to 21). Whatever
    depends on the guide alone is computed once, so that many planes can be filtered cheaply; with
    ``step`` the linear coefficients are computed on a coarser grid (He & Sun 2015).

    Args:
        guide: RGB (H, W, 3).
        radius: of the window, in pixels of the guide.
        epsilon: variance, for colours 0 to 1, below which the guide counts as flat.
        step: pixels of the guide per cell of the coefficients' grid.
    """

    def __init__(self, guide: Image, radius: float, epsilon: float, step: int = 2) -> None:
        height, width = guide.shape[:2]
        self._size = (width, height)
        self._grid = (max(1, width // step), max(1, height // step))
        self._window = (2 * max(1, round(radius / step)) + 1,) * 2
        # Separate planes: NumPy's sums over a short last axis are slow.
        self._guide = [_plane(plane) / np.float32(255) for plane in cv2.split(guide)]
        self._colours = [self._small(plane) for plane in self._guide]
        self._means = [self._mean(colour) for colour in self._colours]

        def covariance(i: int, j: int) -> Plane:
            product = self._mean(self._colours[i] * self._colours[j])
            plain = product - self._means[i] * self._means[j]
            return plain + np.float32(epsilon) if i == j else plain

        rr, rg, rb = covariance(0, 0), covariance(0, 1), covariance(0, 2)
        gg, gb, bb = covariance(1, 1), covariance(1, 2), covariance(2, 2)
        # The symmetric matrix is inverted by its cofactors: ten times faster than linalg.inv here.
        cofactors = (
            (gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb),
            (gb * rb - rg * bb, rr * bb - rb * rb, rb * rg - rr * gb),
            (rg * gb - gg * rb, rb * rg - rr * gb, rr * gg - rg * rg),
        )
        determinant = rr * cofactors[0][0] + rg * cofactors[0][1] + rb * cofactors[0][2]
        self._inverse = [[c / determinant for c in row] for row in cofactors]

    def __call__(self, plane: Plane) -> Plane:
        """A plane (H, W) smoothed along the guide's edges."""
        small = self._small(plane)
        mean = self._mean(small)
        covariances = [
            self._mean(colour * small) - m * mean
            for colour, m in zip(self._colours, self._means, strict=True)
        ]
        slopes = [
            sum(r * c for r, c in zip(row, covariances, strict=True)) for row in self._inverse
        ]
        offset = mean - sum(s * m for s, m in zip(slopes, self._means, strict=True))
        lines = self._large(self._mean(offset))
        for slope, colour in zip(slopes, self._guide, strict=True):
            lines += self._large(self._mean(slope)) * colour
        return lines

    def _small(self, plane: Plane) -> Plane:
        return _plane(cv2.resize(plane, self._grid, interpolation=cv2.INTER_AREA))

    def _large(self, plane: Plane) -> Plane:
        return _plane(cv2.resize(plane, self._size, interpolation=cv2.INTER_LINEAR))

    def _mean(self, values: Plane) -> Plane:
        return _plane(cv2.blur(values, self._window))


def _plane(values: NDArray[np.generic]) -> Plane:
    return np.asarray(values, np.float32)


def upsample(matte: Matte, image: Image) -> Matte:
    """A small matte (h, w) at the size of its picture (H, W, 3).

    A guided filter fits the matte to the picture's colours, in windows with a radius of about two
    small pixels, so that the matte's edge snaps to the picture's.
    """
    size = image.shape[:2]
    if matte.shape == size:
        return matte
    large = resized(matte, size)
    box = bounding_box(large)
    if box is None:
        return large
    scale = size[0] / matte.shape[0]
    radius = max(2, round(2 * scale))
    box = box.padded(3 * radius, 1, size)
    smooth = GuidedFilter(image[box.rows, box.columns], radius, _EPSILON)
    part = smooth(large[box.rows, box.columns].astype(np.float32))
    large[box.rows, box.columns] = np.rint(np.clip(part, 0, 255)).astype(np.uint8)
    return large
