"""Regions that are scored: inside the matte, along its edge, and outside."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: Width in pixels of the band along the matte's edge, half on either side.
BAND = 8

WHOLE = "all"
PARTS = ("inside", "band", "outside")


def region_names(with_matte: bool) -> tuple[str, ...]:
    """The regions of a frame: the whole, and with a matte its three parts."""
    return (WHOLE, *PARTS) if with_matte else (WHOLE,)


def regions(size: tuple[int, int], matte: NDArray[np.uint8] | None) -> dict[str, Tensor]:
    """Masks of the regions, (1, 1, H, W), 0 or 1.

    The three parts cover the frame without overlap. A frame without the object has neither inside
    nor band, and one that the object fills has no band: the frame's border is not an edge.

    Args:
        size: (H, W).
        matte: (H, W), 255 inside the object; pixels that are at least half covered belong to it.
    """
    masks = {WHOLE: torch.ones(1, 1, *size)}
    if matte is None:
        return masks
    covered = matte >= 128
    near = (_distance(covered) <= BAND / 2) & (_distance(~covered) <= BAND / 2)
    parts = (covered & ~near, near, ~covered & ~near)
    for name, part in zip(PARTS, parts, strict=True):
        masks[name] = torch.from_numpy(part).float()[None, None]
    return masks


def _distance(covered: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance in pixels of each covered pixel to the nearest uncovered one; 0 for uncovered ones.

    Pixels at the edge have distance 1. Infinite if there are no uncovered pixels.
    """
    if covered.all():
        return np.full(covered.shape, np.inf, np.float32)
    distance = cv2.distanceTransform(covered.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance, np.float32)
