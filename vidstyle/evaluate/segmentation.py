"""Accuracy of a matte against ground truth: DAVIS-2016's measures (Perazzi et al., CVPR 2016).

Masks are boolean arrays (H, W), True inside the object.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

#: Largest distance of matching boundaries, as a fraction of the picture's diagonal.
TOLERANCE = 0.008


def region_similarity(mask: Mask, truth: Mask) -> float:
    """J, section 5.1: intersection over union, 0 to 1; 1 where both masks are empty."""
    union = int((mask | truth).sum())
    return float((mask & truth).sum() / union) if union else 1.0


def contour_accuracy(mask: Mask, truth: Mask, tolerance: float = TOLERANCE) -> float:
    """F, section 5.1: the harmonic mean of the boundary's precision and recall, 0 to 1.

    As in the benchmark's own code, the bipartite matching of boundary pixels is approximated by
    dilation: a boundary pixel matches when the other boundary is within ``tolerance`` times the
    picture's diagonal, rounded up to whole pixels. 1 where neither mask has a boundary, 0 where
    one has none.
    """
    ours, true = boundary(mask), boundary(truth)
    if not ours.any() or not true.any():
        return float(ours.any() == true.any())
    disc = _disc(math.ceil(tolerance * math.hypot(*mask.shape)))
    precision = float(_dilated(true, disc)[ours].mean())
    recall = float(_dilated(ours, disc)[true].mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def boundary(mask: Mask) -> Mask:
    """The pixels (H, W) that differ from the one to the right, below, or both.

    The frame's border does not count as a boundary.
    """
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    right, below, across = padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    return np.asarray((mask ^ right) | (mask ^ below) | (mask ^ across), np.bool_)


def _disc(radius: int) -> NDArray[np.uint8]:
    """The pixels within ``radius`` of the centre."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return np.asarray(x * x + y * y <= radius * radius, np.uint8)


def _dilated(mask: Mask, shape: NDArray[np.uint8]) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), shape) > 0, np.bool_)
