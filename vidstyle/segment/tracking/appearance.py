"""Appearance of an object and its surroundings: colours, and where on the object they are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.media.frame import Box
from vidstyle.segment.clip import Image, Plane
from vidstyle.segment.tracking.place import Place

_CELLS = 16  # across the object's coordinates
_COLOURS = (16, 12, 12)  # bins of L, a and b
_SHAPE = (_CELLS, _CELLS, *_COLOURS)
_KEY_WEIGHT = 3.0  # of the key frame relative to the recent frames
_DECAY = 0.9  # of the recent frames' memory, per frame
_RARE = 0.2  # pixels: a bin with far fewer is no evidence
_RARE_COLOUR = 1e-5  # share of all pixels, likewise
_LOOK = (4, 24, 24)  # bins of L, a and b: lightness varies more than colour
_CLIP = 4.0  # log odds: no single colour decides a pixel

Bins = NDArray[np.int32]


@dataclass(frozen=True)
class Known:
    """The object's appearance, from a picture in which its matte is known.

    Attributes:
        look, surroundings: colour histograms of the object and of everything else.
        shares: colour distributions of the object and of the rest of the whole picture, (2,
            *colours): the object may move in front of any part of it.
        counts: pixels of the object and its surroundings by place and colour, (2, *shape); None
            if the object's window is out of the picture.
    """

    look: NDArray[np.float32]
    surroundings: NDArray[np.float32]
    shares: NDArray[np.float32]
    counts: NDArray[np.float32] | None

    @classmethod
    def of(cls, image: Image, probability: Plane, place: Place) -> "Known":
        """From a picture (H, W, 3), the object's probability (H, W), 0 to 1, and its place."""
        shares = _counts(_colour_bins(image), probability, _COLOURS)
        shares = shares / np.maximum(shares.sum(axis=(1, 2, 3), keepdims=True), 1)
        counts = None
        if window := place.window(image.shape[:2]):
            inside = probability[window.rows, window.columns]
            counts = _counts(Appearance.bins(image, place, window), inside)
        return cls(_look(image, probability), _look(image, 1 - probability), shares, counts)


class Appearance:
    """Counts of object and background pixels over colour and place on the object: the bilateral
    grid of Märki et al. (CVPR 2016), in coordinates that move with the object, with a memory of
    the key frame, which never fades, and of the recent frames.

    Args:
        keys: pictures in which the object is known; the first is the key frame, and weighs as much
            as all others together.
    """

    def __init__(self, keys: Sequence[Known]) -> None:
        self._looks = [known.look for known in keys]
        self._surroundings = [known.surroundings for known in keys]
        counts = [known.counts for known in keys if known.counts is not None]
        self._key, self._recent = _first_and_others(counts), counts[0]
        shares = _first_and_others([known.shares for known in keys])
        self._colours = _ratio(_smoothed(shares), _RARE_COLOUR).ravel()

    @staticmethod
    def bins(image: Image, place: Place, window: Box) -> Bins:
        """The bin of each pixel of a window (h, w), by its place on the object and its colour."""
        rows, columns = place.cells(window, _CELLS)
        cells = rows[:, None] * _CELLS + columns[None]
        return cells * math.prod(_COLOURS) + _colour_bins(image[window.rows, window.columns])

    def log_odds(self, bins: Bins) -> tuple[Plane, Plane]:
        """Log odds (h, w) of object against background for each pixel of a window: by colour and
        place on the object, and by colour alone, in the key frames."""
        local = _smoothed(_KEY_WEIGHT * self._key + self._recent).reshape(2, -1)
        overall = self._colours.take(bins % len(self._colours))
        return _ratio(local.take(bins, axis=1), _RARE), overall

    def likeness(self, image: Image, probability: Plane) -> tuple[float, float]:
        """Similarity of the colours inside the object in a picture (h, w, 3) to the object's and to
        its surroundings', each in the best-matching key: Bhattacharyya coefficients, 0 to 1."""
        look = _look(image, probability)
        ours, others = (
            max(float(np.sqrt(look * key).sum()) for key in looks)
            for looks in (self._looks, self._surroundings)
        )
        return ours, others

    def learn(self, bins: Bins, probability: Plane) -> None:
        """Learn from a frame's result; pixels are weighted by how certain their probability (h, w)
        is."""
        counts = _counts(bins, probability)
        self._recent = _DECAY * self._recent + (1 - _DECAY) * counts


def _look(image: Image, probability: Plane) -> NDArray[np.float32]:
    """Colour histogram of the pixels above a probability of 0.5, summing to 1; all 0 if none."""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    inside = (probability > 0.5).astype(np.uint8)
    counts = np.asarray(cv2.calcHist([lab], [0, 1, 2], inside, [*_LOOK], [0, 256] * 3), np.float32)
    smooth = _smoothed(counts[None])
    return np.asarray(smooth / max(float(smooth.sum()), 1e-6), np.float32)


def _first_and_others(counts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The mean of the first and of the mean of the others."""
    if len(counts) == 1:
        return counts[0]
    return np.asarray((counts[0] + np.mean(counts[1:], axis=0)) / 2, np.float32)


def _colour_bins(image: Image) -> Bins:
    """The index of each pixel's colour bin (H, W)."""
    lab = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), np.uint8)
    light, a, b = (part.take(lab[..., axis]) for axis, part in enumerate(_PARTS_OF_BINS))
    return np.asarray(light + a + b)


def _part_of_bin(axis: int) -> Bins:
    """The contribution of each level (256) of L, a or b to the index of a bin."""
    levels = np.arange(256, dtype=np.int32)
    if axis > 0:
        # Few pictures use even half of the range of a and b: spread its middle over all bins.
        levels = np.clip(2 * levels - 128, 0, 255)
    return np.asarray((levels * _COLOURS[axis] >> 8) * math.prod(_COLOURS[axis + 1 :]), np.int32)


_PARTS_OF_BINS = [_part_of_bin(axis) for axis in range(len(_COLOURS))]


def _counts(bins: Bins, probability: Plane, shape: tuple[int, ...] = _SHAPE) -> NDArray[np.float32]:
    """Object and background pixels in each bin: (2, *shape)."""
    sure = 2 * probability - 1
    size = math.prod(shape)
    both = [np.bincount(bins.ravel(), np.maximum(w, 0).ravel(), size) for w in (sure, -sure)]
    return np.stack(both).astype(np.float32).reshape(2, *shape)


def _smoothed(counts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Blurred by (1, 2, 1) / 4 along every axis except the first; borders are replicated."""
    for axis, side in enumerate(counts.shape[1:], 1):
        planes = counts.reshape(math.prod(counts.shape[:axis]), side, -1)
        pairs = planes[:, 1:] + planes[:, :-1]
        blurred = np.empty_like(planes)
        np.add(pairs[:, 1:], pairs[:, :-1], out=blurred[:, 1:-1])
        for end in (0, -1):
            blurred[:, end] = pairs[:, end] + 2 * planes[:, end]
        counts = blurred.reshape(counts.shape)
    return counts / np.float32(4 ** (counts.ndim - 1))


def _ratio(counts: NDArray[np.float32], rare: float) -> Plane:
    return np.asarray(np.clip(np.log((counts[0] + rare) / (counts[1] + rare)), -_CLIP, _CLIP))
