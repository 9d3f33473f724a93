"""What an object and its surroundings look like: colours, and where on the object they are."""

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
_KEY_WEIGHT = 3.0  # of the key frame against the recent frames
_DECAY = 0.9  # of the recent frames' memory, a frame
_RARE = 0.2  # pixels: a bin with much fewer says nothing
_RARE_COLOUR = 1e-5  # share of all pixels, likewise
_LOOK = (4, 24, 24)  # bins of L, a and b: light changes more than colour
_CLIP = 4.0  # log odds: no single colour settles a pixel

Bins = NDArray[np.int32]


@dataclass(frozen=True)
class Known:
    """What a picture in which the object is known says of its looks.

    Attributes:
        look, surroundings: histograms of the object's colours and of all others.
        shares: how the object's and the others' pixels of the whole picture are spread over the
            colours, (2, *colours): the object may meet any part of its surroundings.
        counts: its pixels and its surroundings' by place and colour, (2, *shape); None where no
            part of the object is in the picture.
    """

    look: NDArray[np.float32]
    surroundings: NDArray[np.float32]
    shares: NDArray[np.float32]
    counts: NDArray[np.float32] | None

    @classmethod
    def of(cls, image: Image, probability: Plane, place: Place) -> "Known":
        """Of a picture (H, W, 3), the object's probability (H, W), 0 to 1, and its place."""
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
        keys: pictures in which the object is known; the first is the key frame, the others count as
            much together.
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
        """Where each pixel of a window (h, w) is counted: by its place on the object and its
        colour."""
        rows, columns = place.cells(window, _CELLS)
        cells = rows[:, None] * _CELLS + columns[None]
        return cells * math.prod(_COLOURS) + _colour_bins(image[window.rows, window.columns])

    def log_odds(self, bins: Bins) -> tuple[Plane, Plane]:
        """Log odds (h, w) of object against background for each pixel of a window: by its colour
        and its place on the object, and by its colour in the key frame alone."""
        local = _smoothed(_KEY_WEIGHT * self._key + self._recent).reshape(2, -1)
        overall = self._colours.take(bins % len(self._colours))
        return _ratio(local.take(bins, axis=1), _RARE), overall

    def likeness(self, image: Image, probability: Plane) -> tuple[float, float]:
        """How alike the colours of what is rather object than not in a picture (h, w, 3) are to the
        object's, and to those of its surroundings, in the keys that they are most like: 0 to 1
        (Bhattacharyya's coefficient)."""
        look = _look(image, probability)
        ours, others = (
            max(float(np.sqrt(look * key).sum()) for key in looks)
            for looks in (self._looks, self._surroundings)
        )
        return ours, others

    def learn(self, bins: Bins, probability: Plane) -> None:
        """Take in a frame's result; pixels count as much as their probability (h, w) is sure."""
        counts = _counts(bins, probability)
        self._recent = _DECAY * self._recent + (1 - _DECAY) * counts


def _look(image: Image, probability: Plane) -> NDArray[np.float32]:
    """The histogram of the colours that are rather the object's, summing to 1; 0 of nothing."""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    inside = (probability > 0.5).astype(np.uint8)
    counts = np.asarray(cv2.calcHist([lab], [0, 1, 2], inside, [*_LOOK], [0, 256] * 3), np.float32)
    smooth = _smoothed(counts[None])
    return np.asarray(smooth / max(float(smooth.sum()), 1e-6), np.float32)


def _first_and_others(counts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The mean of the first and the mean of the others."""
    if len(counts) == 1:
        return counts[0]
    return np.asarray((counts[0] + np.mean(counts[1:], axis=0)) / 2, np.float32)


def _colour_bins(image: Image) -> Bins:
    """The index of each pixel's colour bin (H, W)."""
    lab = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), np.uint8)
    light, a, b = (part.take(lab[..., axis]) for axis, part in enumerate(_PARTS_OF_BINS))
    return np.asarray(light + a + b)


def _part_of_bin(axis: int) -> Bins:
    """What each level (256) of L, a or b gives to the index of a bin."""
    levels = np.arange(256, dtype=np.int32)
    if axis > 0:
        # Few pictures reach half of the range of a and b: spread its middle over all bins.
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
    """Blurred by (1, 2, 1) / 4 along every axis but the first; beyond the ends lies what is on
    them."""
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
