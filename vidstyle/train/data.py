"""Pictures to train on: read once, cropped at random, the same crops for the same seed."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.errors import MediaError

SUFFIXES = (".jpg", ".jpeg", ".png")


def read_folder(folder: Path, short_side: int) -> dict[str, Tensor]:
    """Every picture below a folder: {name: (3, H, W) uint8}, with ``short_side`` as its shorter.

    Raises:
        MediaError: there is none, or one cannot be read.
    """
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    if not files:
        raise MediaError(f"{folder}: there are no pictures in this folder; give one with some")
    return {file.stem: _read(file, short_side) for file in files}


def _read(file: Path, short_side: int) -> Tensor:
    picture = cv2.imread(str(file), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise MediaError(f"{file}: cannot be read as a picture; remove it from the training data")
    scale = short_side / min(picture.shape[:2])
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=mode)
    return torch.from_numpy(np.ascontiguousarray(resized)).permute(2, 0, 1)


class Crops:
    """Random square crops: scaled, mirrored, and for styles also turned and recoloured."""

    def __init__(self, pictures: Sequence[Tensor], side: int, zoom: tuple[float, float]) -> None:
        """
        Args:
            pictures: (3, H, W) uint8 each.
            side: of a crop, in pixels.
            zoom: a crop covers ``side`` times something in this range.
        """
        self._pictures, self._side, self._zoom = pictures, side, zoom

    def plain(self, random: np.random.Generator) -> Tensor:
        """(3, side, side) in [0, 1]. Flat crops are drawn again: they have nothing to teach, and
        a transform that gives them a style's variance has an enormous gain."""
        while True:
            crop = self._any(random)
            if crop.std() > 0.1 and crop.mean() > 0.1:
                return crop

    def varied(self, random: np.random.Generator) -> Tensor:
        """As :meth:`plain`; now and then turned, its channels exchanged, or negative.

        The styles at hand are few, and a network must not learn them by heart.
        """
        crop = self.plain(random)
        if random.random() < 0.3:
            crop = crop[torch.from_numpy(random.permutation(3))]
        if random.random() < 0.3:
            crop = crop.rot90(1, (1, 2))
        if random.random() < 0.1 and crop.mean() < 0.8:
            crop = 1 - crop
        return crop

    def _any(self, random: np.random.Generator) -> Tensor:
        picture = self._pictures[int(random.integers(len(self._pictures)))]
        height, width = picture.shape[1:]
        extent = min(round(self._side * random.uniform(*self._zoom)), height, width)
        top, left = random.integers(height - extent + 1), random.integers(width - extent + 1)
        crop = picture[:, top : top + extent, left : left + extent].float()[None] / 255
        crop = F.interpolate(crop, (self._side, self._side), mode="bilinear", antialias=True)[0]
        return crop.flip(2) if random.random() < 0.5 else crop
