"""Carrying a matte from one frame to the next."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vidstyle.flow import DisFlow
from vidstyle.segment.clip import Image
from vidstyle.segment.mattes import Matte


class Tracker:
    """Carries an object's matte to the next picture, in either direction of time."""

    def __init__(self) -> None:
        self._flow = DisFlow(480)
        self._image: Image | None = None
        self._matte: Matte | None = None

    def reset(self, image: Image, matte: Matte) -> None:
        """Start from a picture (H, W, 3) and the object's matte (H, W) in it."""
        self._image, self._matte = image, matte

    def step(self, image: Image) -> Matte:
        """The object's matte (H, W) in the picture after, or before, the latest one.

        Raises:
            RuntimeError: called before ``reset``.
        """
        if self._image is None or self._matte is None:
            raise RuntimeError("reset() comes before step()")
        flow = self._flow(_tensor(image), _tensor(self._image))[0].numpy()
        matte = _warped(self._matte, flow)
        self._image, self._matte = image, matte
        return matte


def _tensor(image: Image) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255


def _warped(matte: Matte, flow: NDArray[np.float32]) -> Matte:
    height, width = matte.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.asarray(cv2.remap(matte, x + flow[0], y + flow[1], cv2.INTER_LINEAR), np.uint8)
