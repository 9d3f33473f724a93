"""Specks of a matte that are detached from its object."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.segment.mattes.store import Matte

_SPECK = 0.03  # of the largest part's pixels: anything smaller is not part of the body
_RIM = 5  # width of a soft edge, in pixels


def without_specks(matte: Matte) -> Matte:
    """A matte (H, W) without the parts that are tiny compared to its largest one, and without their
    soft edges.

    Larger parts stay: an occlusion may well split an object.
    """
    inside = matte > 127
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8))
    areas = stats[:, cv2.CC_STAT_AREA]
    stays = areas >= _SPECK * areas[1:].max(initial=0)
    body = _widened(inside & stays[labels])
    stays[np.unique(labels[body])] = True
    specks = inside & ~stays[labels]
    return np.where(_widened(specks) & ~body, np.uint8(0), matte) if specks.any() else matte


def _widened(part: NDArray[np.bool_]) -> NDArray[np.bool_]:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _RIM + 1,) * 2)
    return np.asarray(cv2.dilate(part.astype(np.uint8), disc) > 0)
