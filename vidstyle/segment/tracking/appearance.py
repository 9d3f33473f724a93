"""Appearance of an object and its surroundings: colours, and where on the object they are.

Pictures are given by their ``Traits`` here: colours, or what replaces them where there are none.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidstyle.media.frame import Box
from vidstyle.segment.clip import Image, Plane
from vidstyle.segment.mattes.store import Matte
from vidstyle.segment.tracking.colours import Look, best_likeness, look, smoothed
from vidstyle.segment.tracking.place import Place

_CELLS = 16  # across the object's coordinates
_COLOURS = (16, 12, 12)  # bins of L, a and b
_SHAPE = (_CELLS, _CELLS, *_COLOURS)
_KEY_WEIGHT = 3.0  # of the key frame relative to the recent frames
_DECAY = 0.9  # of the recent frames' memory, per frame
_RARE = 0.2  # pixels: a bin with far fewer is no evidence
_RARE_COLOUR = 1e-5  # share of all pixels, likewise
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

    look: Look
    surroundings: Look
    shares: NDArray[np.float32]
    counts: NDArray[np.float32] | None

    @classmethod
    def of(cls, traits: Image, probability: Plane, place: Place) -> "Known":
        """From a picture's traits (H, W, 3), the object's probability (H, W), 0 to 1, and its
        place."""
        shares = _shares(traits, probability)
        counts = None
        if window := place.window(traits.shape[:2]):
            near = probability[window.rows, window.columns]
            counts = _counts(Appearance.bins(traits, place, window), near)
        inside = probability > 0.5
        return cls(look(traits, inside), look(traits, ~inside), shares, counts)


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
        self._colours = _colour_table([known.shares for known in keys])

    @staticmethod
    def bins(traits: Image, place: Place, window: Box) -> Bins:
        """The bin of each pixel of a window (h, w), by its place on the object and its colour."""
        rows, columns = place.cells(window, _CELLS)
        cells = rows[:, None] * _CELLS + columns[None]
        return cells * math.prod(_COLOURS) + _colour_bins(traits[window.rows, window.columns])

    def log_odds(self, bins: Bins) -> tuple[Plane, Plane]:
        """Log odds (h, w) of object against background for each pixel of a window: by colour and
        place on the object, and by colour alone, in the key frames."""
        local = smoothed(_KEY_WEIGHT * self._key + self._recent).reshape(2, -1)
        overall = self._colours.take(bins % len(self._colours))
        return _ratio(local.take(bins, axis=1), _RARE), overall

    def likeness(self, traits: Image, probability: Plane) -> tuple[float, float]:
        """Similarity of the colours inside the object in a picture (h, w, 3) to the object's and to
        its surroundings', each in the best-matching key: Bhattacharyya coefficients, 0 to 1."""
        seen = look(traits, probability > 0.5)
        return best_likeness(seen, self._looks), best_likeness(seen, self._surroundings)

    def learn(self, bins: Bins, probability: Plane) -> None:
        """Learn from a frame's result; pixels are weighted by how certain their probability (h, w)
        is."""
        counts = _counts(bins, probability)
        self._recent = _DECAY * self._recent + (1 - _DECAY) * counts


def colour_odds(known: Sequence[tuple[Image, Matte]]) -> Callable[[Image], Plane]:
    """
    Args:
        known: pictures' traits (H, W, 3), with the object's mattes (H, W).

    Returns:
        log odds (H, W) of object against background by the colours of another picture, given by its
        traits.
    """
    table = _colour_table(
        [_shares(traits, np.asarray(matte / 255, np.float32)) for traits, matte in known]
    )
    return lambda traits: table.take(_colour_bins(traits))


def _shares(traits: Image, probability: Plane) -> NDArray[np.float32]:
    """Colour distributions of an object and of the rest of a whole picture: (2, *colours)."""
    counts = _counts(_colour_bins(traits), probability, _COLOURS)
    return np.asarray(counts / np.maximum(counts.sum(axis=(1, 2, 3), keepdims=True), 1), np.float32)


def _colour_table(shares: Sequence[NDArray[np.float32]]) -> Plane:
    """Log odds of object against background for each colour bin."""
    return _ratio(smoothed(_first_and_others(shares)), _RARE_COLOUR).ravel()


def _first_and_others(counts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The mean of the first and of the mean of the others."""
    if len(counts) == 1:
        return counts[0]
    return np.asarray((counts[0] + np.mean(counts[1:], axis=0)) / 2, np.float32)


def _colour_bins(traits: Image) -> Bins:
    """The index of each pixel's colour bin (H, W)."""
    light, a, b = (part.take(traits[..., axis]) for axis, part in enumerate(_PARTS_OF_BINS))
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


def _ratio(counts: NDArray[np.float32], rare: float) -> Plane:
    return np.asarray(np.clip(np.log((counts[0] + rare) / (counts[1] + rare)), -_CLIP, _CLIP))
