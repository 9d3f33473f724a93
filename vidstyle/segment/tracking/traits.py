"""What tells pixels apart: their colours or, where a shot has hardly any, their texture."""

import math
from collections.abc import Iterable
from statistics import median
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.segment.clip import Image

#: Colourfulness up to which texture replaces colours altogether, and from which it has no say.
#: Black-and-white and toned footage is below 1, six DAVIS clips are at 6 to 20. With their colours
#: reduced to 2 to 4, masks are tracked better by texture (mean J 0.73 and 0.62), with 3.5 to 7 by
#: colours (0.74 and 0.73).
_PALE, _COLOURFUL = 2.0, 4.0
_STEP = 4  # every fourth pixel across and down is enough to judge a picture
_LEVELS = 16  # of lightness that colours are compared within

_SIGMA = 2.5  # pixels of a window that texture is measured in
#: Contrast (standard deviation, in levels) that takes up the whole range.
_STRONG = 60.0

#: Range of a and b that few pictures exceed, end exclusive.
USED = (64, 192)


class Traits:
    """Maps pictures to what their pixels are told apart by: lightness and two more values.

    These are a and b of Lab. Without colours they would be the same everywhere: then they are the
    mean lightness around a pixel, and the contrast there.

    Args:
        colourfulness: usual one of the shot's pictures.
    """

    def __init__(self, colourfulness: float = _COLOURFUL) -> None:
        share = (colourfulness - _PALE) / (_COLOURFUL - _PALE)
        self._of_colours = min(max(share, 0.0), 1.0)

    @classmethod
    def of(cls, images: Iterable[Image]) -> Self:
        """Those that suit a shot, from some of its pictures (H, W, 3), RGB."""
        return cls(median(colourfulness(image) for image in images))

    def __call__(self, image: Image) -> Image:
        """A picture's traits, (H, W, 3), from its RGB, (H, W, 3)."""
        lab = _lab(image)
        if self._of_colours == 1:
            return lab
        light = lab[..., 0]
        mixed = cv2.addWeighted(
            lab[..., 1:], self._of_colours, _texture(light), 1 - self._of_colours, 0
        )
        return np.asarray(np.dstack([light, mixed]), np.uint8)


def colourfulness(image: Image) -> float:
    """How much the colours of an RGB picture (H, W, 3) vary beyond what lightness explains, in
    levels of Lab: toned footage has none."""
    light, *ab = _lab(image[::_STEP, ::_STEP]).reshape(-1, 3).T.astype(np.float64)
    level = (light * _LEVELS).astype(np.int64) >> 8
    pixels = np.maximum(np.bincount(level, minlength=_LEVELS), 1)
    spread = 0.0
    for values in ab:
        usual = np.bincount(level, values, _LEVELS) / pixels
        spread += float(np.square(values - usual[level]).mean())
    return math.sqrt(spread)


def _texture(light: NDArray[np.uint8]) -> Image:
    """Mean and contrast around each pixel, (H, W, 2), of lightness (H, W)."""
    level = light.astype(np.float32)
    mean = cv2.GaussianBlur(level, (0, 0), _SIGMA)
    variance = cv2.GaussianBlur(level * level, (0, 0), _SIGMA) - mean * mean
    contrast = np.log1p(np.sqrt(np.maximum(variance, 0))) / np.log1p(_STRONG)
    first, last = USED[0], USED[1] - 1
    both = first + np.dstack([mean / 255, contrast]) * (last - first)
    return np.asarray(np.clip(np.rint(both), first, last), np.uint8)


def _lab(image: Image) -> Image:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2LAB), np.uint8)
