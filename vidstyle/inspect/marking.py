"""Annotations on pictures for users: labels, boxes, mattes in colour."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.media.frame import Box

Image = NDArray[np.uint8]

#: One per object, distinguishable with most kinds of colour vision (Okabe & Ito 2008).
COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178),
           (213, 94, 0), (204, 121, 167))  # fmt: skip

_FONT = cv2.FONT_HERSHEY_SIMPLEX


def colour_of(number: int) -> tuple[int, int, int]:
    """RGB of the nth object, from 0."""
    return COLOURS[number % len(COLOURS)]


def scale_of(image: Image) -> float:
    """Size of annotations, relative to a picture whose long side is 1280 pixels."""
    return float(max(image.shape[:2]) / 1280)


def mark_matte(image: Image, matte: NDArray[np.uint8], colour: tuple[int, int, int]) -> Image:
    """A picture (H, W, 3) with a matte (H, W) tinted and outlined."""
    alpha = matte[..., None] * np.float32(0.4 / 255)
    tinted = np.rint(image + alpha * (np.array(colour, np.float32) - image)).astype(np.uint8)
    inside = (matte > 127).astype(np.uint8)
    outlines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(tinted, outlines, -1, colour, max(1, round(2 * scale_of(image))))
    return tinted


def mark_box(image: Image, box: Box, colour: tuple[int, int, int]) -> None:
    """Draw a box into a picture (H, W, 3)."""
    width = max(1, round(2 * scale_of(image)))
    cv2.rectangle(image, (box.x0, box.y0), (box.x1 - 1, box.y1 - 1), colour, width)


def label(image: Image, text: str, x: int, y: int, colour: tuple[int, int, int]) -> None:
    """Draw text on a darkened background, with its upper left corner at (x, y), shifted to fit."""
    scale, weight = max(0.35, 0.7 * scale_of(image)), max(1, round(1.5 * scale_of(image)))
    (width, height), below = cv2.getTextSize(text, _FONT, scale, weight)
    x = min(max(x, 0), max(image.shape[1] - width, 0))
    y = min(max(y, 0), max(image.shape[0] - height - below, 0))
    ground = image[y : y + height + below, x : x + width]
    ground //= 3
    cv2.putText(image, text, (x, y + height), _FONT, scale, colour, weight, cv2.LINE_AA)
