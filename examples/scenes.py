"""Shots made of moving layers of photographs, so that motion, mattes and occlusion are exact.

A scene is a stack of layers, back to front. Each has a picture, a matte, and a motion: for every
time an affine map from the layer's pixels to the frame's. What a camera would have seen follows,
and with it the truth that no estimator can give.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

Array = NDArray[np.float32]
Matrix = NDArray[np.float64]
Motion = Callable[[float], Matrix]
"""Frame number to a 3×3 map of homogeneous (x, y, 1), from pixels of the layer to the frame's."""


@dataclass(frozen=True)
class Layer:
    """One moving photograph.

    Attributes:
        picture: (h, w, 3) in [0, 1]; its border is repeated outside.
        matte: (h, w) in [0, 1], or None for a layer that covers everything (the back one).
        motion: where it is at each time. Its scale should stay near 1: nothing is filtered here,
            so bring the picture to its size in the frame first.
    """

    picture: Array
    matte: Array | None
    motion: Motion

    @cached_property
    def _coefficients(self) -> list[Array]:
        """Cubic B-spline coefficients of each channel; found once, sampled in every frame."""
        channels = np.moveaxis(self.picture, -1, 0)
        return [scipy.ndimage.spline_filter(c, output=np.float32) for c in channels]

    def picture_at(self, time: float, size: tuple[int, int]) -> Array:
        """The picture in the frame: (H, W, 3) in [0, 1]."""
        channels = [
            _resample(c, self.motion(time), size, order=3, mode="nearest")
            for c in self._coefficients
        ]
        return np.stack(channels, axis=-1).clip(0, 1)

    def matte_at(self, time: float, size: tuple[int, int]) -> Array:
        """The matte in the frame, whatever may lie before it: (H, W) in [0, 1]."""
        if self.matte is None:
            return np.ones(size, np.float32)
        return _resample(self.matte, self.motion(time), size, order=1, mode="constant")


@dataclass(frozen=True)
class Scene:
    """Layers, back to front, seen through a frame of ``size`` (H, W)."""

    layers: Sequence[Layer]
    size: tuple[int, int]

    def picture(self, time: float) -> Array:
        """The frame: (H, W, 3) in [0, 1]."""
        frame = np.zeros((*self.size, 3), np.float32)
        for layer in self.layers:
            matte = layer.matte_at(time, self.size)[..., None]
            frame += matte * (layer.picture_at(time, self.size) - frame)
        return frame

    def mattes(self, time: float) -> Array:
        """How much of each pixel each layer fills: (layers, H, W) in [0, 1], summing to 1."""
        shares: list[Array] = []
        free = np.ones(self.size, np.float32)
        for layer in reversed(self.layers):
            matte = layer.matte_at(time, self.size)
            shares.append(free * matte)
            free = free * (1 - matte)
        return np.stack(shares[::-1])

    def flow(self, time: float, other: float) -> tuple[Array, Array]:
        """Where the pixels of frame ``time`` are in frame ``other``.

        Returns:
            The flow (H, W, 2) in pixels, x then y, of the layer that fills most of each pixel;
            and how surely both frames show that point of that layer: (H, W) in [0, 1], the lesser
            of its shares of the pixel in the two frames. It is 0 where the point is hidden or
            outside the frame in ``other``, and below 1 along soft edges.
        """
        height, width = self.size
        rows, columns = np.mgrid[:height, :width].astype(np.float64)
        here = np.stack([columns, rows, np.ones(self.size)])
        shares, shares_there = self.mattes(time), self.mattes(other)
        front = shares.argmax(axis=0)
        flow = np.zeros((height, width, 2), np.float32)
        shown = np.zeros(self.size, np.float32)
        for index, layer in enumerate(self.layers):
            step = layer.motion(other) @ np.linalg.inv(layer.motion(time))
            there = np.tensordot(step, here, axes=1)[:2]
            share = scipy.ndimage.map_coordinates(
                shares_there[index], there[::-1], order=1, mode="nearest"
            )
            # A pixel reaches half a step from its centre.
            limits = np.array([width, height])[:, None, None] - 0.5
            share[((there < -0.5) | (there > limits)).any(axis=0)] = 0
            mine = front == index
            flow[mine] = np.moveaxis(there - here[:2], 0, -1)[mine]
            shown[mine] = np.minimum(shares[index], share)[mine]
        return flow, shown


def similarity(
    x: float, y: float, *, scale: float = 1.0, degrees: float = 0.0, pivot: tuple[float, float]
) -> Matrix:
    """The map that scales and turns a layer about ``pivot`` (its own x, y) and brings it to (x, y).

    Positive angles turn clockwise on the screen.
    """
    cosine, sine = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    px, py = pivot
    return np.array(
        [
            [cosine, -sine, x - cosine * px + sine * py],
            [sine, cosine, y - sine * px - cosine * py],
            [0, 0, 1],
        ]
    )


def _resample(
    channel: Array, motion: Matrix, size: tuple[int, int], *, order: int, mode: str
) -> Array:
    inverse = np.linalg.inv(motion)
    # SciPy maps (row, column) of the output to those of the input.
    resampled: Array = scipy.ndimage.affine_transform(
        channel,
        inverse[1::-1, 1::-1],
        inverse[1::-1, 2],
        size,
        output=np.float32,
        order=order,
        mode=mode,
        prefilter=False,
    )
    return resampled
