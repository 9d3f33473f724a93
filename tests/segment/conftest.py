"""Clips whose true mattes are known: a photographed face moving over another photograph."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import cv2
import numpy as np
import pytest
import skimage.data
import torch

from vidstyle.frame import Frame


class ArrayClip:
    """Pictures in memory as a clip; ``truth`` holds the object's true matte of each."""

    def __init__(self, images: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> None:
        self.images, self.truth = images, truth
        self.count, self.size = len(images), images[0].shape[:2]
        self.reads: list[tuple[int, int]] = []

    def frames(self, start: int, stop: int | None) -> Iterator[Frame]:
        stop = self.count if stop is None else stop
        self.reads.append((start, stop))
        for i in range(start, stop):
            yield Frame(torch.from_numpy(self.images[i]), i, i, Fraction(1, 24))


def moving_photo(count: int, size: tuple[int, int] = (180, 270), speed: float = 4.0) -> ArrayClip:
    """The astronaut's head and shoulders, cut out as an ellipse, moving over a cup of coffee."""
    height, width = size
    backdrop = cv2.resize(skimage.data.coffee(), (width, height), interpolation=cv2.INTER_AREA)
    side = height // 2
    cutout = cv2.resize(skimage.data.astronaut()[:300, 80:380], (side, side))
    shape = np.zeros((side, side), np.uint8)
    cv2.ellipse(shape, (side // 2, side // 2), (side // 3, side // 2 - 2), 0, 0, 360, 255, -1)
    images, truth = [], []
    for i in range(count):
        angle, x = 2.0 * np.sin(i / 3), width * 0.1 + speed * i
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), angle, 1.0)
        turn[:, 2] += x, height * 0.3 + 3 * np.sin(i / 2)
        object_, matte = (cv2.warpAffine(a, turn, (width, height)) for a in (cutout, shape))
        alpha = matte[..., None] / 255.0
        images.append(np.rint(backdrop * (1 - alpha) + object_ * alpha).astype(np.uint8))
        truth.append(matte)
    return ArrayClip(images, truth)


def similarity(matte: np.ndarray, truth: np.ndarray) -> float:
    """Region similarity J: intersection over union."""
    a, b = matte > 127, truth > 127
    return float((a & b).sum() / max((a | b).sum(), 1))


@pytest.fixture(scope="session")
def make_clip() -> Callable[..., ArrayClip]:
    return moving_photo


@pytest.fixture(scope="session")
def score() -> Callable[[np.ndarray, np.ndarray], float]:
    return similarity


@pytest.fixture(scope="session")
def photo_clip() -> ArrayClip:
    """Sixteen frames of 180x270."""
    return moving_photo(16)
