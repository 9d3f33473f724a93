"""Closed-form matting (Levin, Lischinski & Weiss, CVPR 2006) via ``pymatting``: soft edges."""

import logging

import cv2
import numpy as np
import pymatting
from numpy.typing import NDArray

from vidstyle.segment.clip import LONG_SIDE, Image
from vidstyle.segment.mattes.guided import upsample
from vidstyle.segment.mattes.store import Matte, bounding_box

logger = logging.getLogger(__name__)

_REACH = 4.0  # pixels of a frame of LONG_SIDE: how far hair or blur extends from the tracked edge
_SURE = 0.05  # distance from 0 or 1 within which the tracked matte is certain


def closed_form(matte: Matte, image: Image) -> Matte:
    """A small matte (h, w) at the size of its picture (H, W, 3), its edge matted.

    In a band around the edge of the guided filter's matte, wider where that is soft, alpha is
    solved for as a locally linear function of the picture's colours (eq. 13). Falls back to the
    guided filter's matte if no pixel is certainly inside, or none certainly outside.
    """
    guided = upsample(matte, image)
    trimap = _trimap(guided)
    unknown = bounding_box((trimap == 0.5).astype(np.uint8))
    if unknown is None or not (trimap == 1).any() or not (trimap == 0).any():
        return guided
    box = unknown.padded(2, 1, guided.shape)
    crop = image[box.rows, box.columns] / 255.0
    try:
        alpha = pymatting.estimate_alpha_cf(crop, trimap[box.rows, box.columns])
    except ValueError as error:
        logger.warning("closed-form matting failed (%s): the guided filter's edge is kept", error)
        return guided
    matted = guided.copy()
    matted[box.rows, box.columns] = np.rint(255 * alpha).astype(np.uint8)
    return matted


def _trimap(guided: Matte) -> NDArray[np.float64]:
    """1 inside, 0 outside, 0.5 in the band between (H, W)."""
    reach = max(2, round(_REACH * max(guided.shape) / LONG_SIDE))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    outside, inside = guided > 255 * _SURE, guided > 255 * (1 - _SURE)
    core = cv2.erode(inside.astype(np.uint8), disc)
    return np.where(core > 0, 1.0, np.where(cv2.dilate(outside.astype(np.uint8), disc) > 0, 0.5, 0))
