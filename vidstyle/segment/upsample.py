"""Bringing a small matte to the frame's size along the frame's own edges."""

import cv2
import numpy as np

from vidstyle.segment.clip import Image, resized
from vidstyle.segment.mattes import Matte, bounding_box

_EPSILON = (0.02 * 255) ** 2  # variance below which the picture counts as flat, in code values²


def upsample(matte: Matte, image: Image) -> Matte:
    """A small matte (h, w) at the size of its picture (H, W, 3).

    A guided filter (He, Sun & Tang 2010; by a grey guide) fits, in windows of about two small
    pixels, a line from the picture's brightness to the matte; so the matte's edge falls where the
    picture has one. Away from the edge the matte is kept as it is.
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
    part = large[box.rows, box.columns].astype(np.float32)
    guide = cv2.cvtColor(image[box.rows, box.columns], cv2.COLOR_RGB2GRAY).astype(np.float32)
    part = np.clip(guided_filter(guide, part, radius, _EPSILON), 0, 255)
    large[box.rows, box.columns] = np.rint(part).astype(np.uint8)
    return large


def guided_filter(guide: np.ndarray, target: np.ndarray, radius: int, epsilon: float) -> np.ndarray:
    """He, Sun & Tang (2010), eq. 5-8: ``target`` (H, W) as a local line of ``guide`` (H, W)."""

    def mean(values: np.ndarray) -> np.ndarray:
        return np.asarray(
            cv2.blur(values, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REPLICATE)
        )

    mean_guide, mean_target = mean(guide), mean(target)
    covariance = mean(guide * target) - mean_guide * mean_target
    variance = mean(guide * guide) - mean_guide * mean_guide
    slope = covariance / (variance + epsilon)
    return np.asarray(mean(slope) * guide + mean(mean_target - slope * mean_guide))
