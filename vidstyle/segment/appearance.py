"""What an object and its surroundings look like: colours, and where on the object they are."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.frame import Box
from vidstyle.segment.clip import Image
from vidstyle.segment.place import Place

_CELLS = 16  # across the object's coordinates
_COLOURS = (16, 12, 12)  # bins of L, a and b
_SHAPE = (_CELLS, _CELLS, *_COLOURS)
_KEY_WEIGHT = 3.0  # of the key frame against the recent frames
_DECAY = 0.9  # of the recent frames' memory, a frame
_RARE = 0.2  # pixels: a bin with much fewer tells nothing
_RARE_COLOUR = 1e-5  # share of all pixels, likewise
_CLIP = 4.0  # log odds: no single colour settles a pixel

Plane = NDArray[np.float32]


class Appearance:
    """Counts of object and background pixels over colour and place on the object: the bilateral
    grid of Märki et al. (CVPR 2016), in coordinates that move with the object, with a memory of
    the key frame, which never fades, and of the recent frames.

    Args:
        image: the key frame (H, W, 3).
        probability: (h, w) of the object, 0 to 1, in the key frame's window.
    """

    def __init__(self, image: Image, probability: Plane, place: Place, window: Box) -> None:
        bins = _bins(image, place, window)
        self._key = _counts(bins, probability)
        self._recent = self._key
        colours = self._key.sum(axis=(1, 2))
        self._colours = _smoothed(
            colours / np.maximum(colours.sum(axis=(1, 2, 3), keepdims=True), 1)
        )

    def log_odds(self, image: Image, place: Place, window: Box) -> tuple[Plane, Plane]:
        """Log odds (h, w) of object against background for each pixel of a window: by its colour
        and its place on the object, and by its colour in the key frame alone."""
        bins = _bins(image, place, window)
        local = _smoothed(_KEY_WEIGHT * self._key + self._recent).reshape(2, -1)[:, bins]
        overall = self._colours.reshape(2, -1)[:, bins % np.prod(_COLOURS)]
        return _ratio(local, _RARE), _ratio(overall, _RARE_COLOUR)

    def learn(self, image: Image, probability: Plane, place: Place, window: Box) -> None:
        """Take in a frame's result; pixels count as much as their probability (h, w) is sure."""
        counts = _counts(_bins(image, place, window), probability)
        self._recent = _DECAY * self._recent + (1 - _DECAY) * counts


def _bins(image: Image, place: Place, window: Box) -> NDArray[np.int32]:
    """The index of each pixel's bin (h, w) in a flat grid."""
    lab = cv2.cvtColor(image[window.rows, window.columns], cv2.COLOR_RGB2LAB).astype(np.int32)
    # Few pictures reach half of the range of a and b: spread its middle over all bins.
    lab[..., 1:] = np.clip(2 * lab[..., 1:] - 128, 0, 255)
    index = np.zeros(lab.shape[:2], np.int32)
    rows, columns = place.cells(window, _CELLS)
    index = rows[:, None] * _CELLS + columns[None]
    for channel, count in enumerate(_COLOURS):
        index = index * count + (lab[..., channel] * count >> 8)
    return index


def _counts(bins: NDArray[np.int32], probability: Plane) -> NDArray[np.float32]:
    """Object and background pixels in each bin: (2, cells, cells, L, a, b)."""
    sure = 2 * probability - 1
    flat = bins.ravel()
    size = int(np.prod(_SHAPE))
    both = [np.bincount(flat, np.maximum(w, 0).ravel(), size) for w in (sure, -sure)]
    return np.stack(both).astype(np.float32).reshape(2, *_SHAPE)


def _smoothed(counts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Blurred by (1, 2, 1) / 4 along every axis but the first."""
    for axis in range(1, counts.ndim):
        planes = counts.reshape(int(np.prod(counts.shape[:axis])), counts.shape[axis], -1)
        blurred = 0.5 * planes
        blurred[:, 1:] += 0.25 * planes[:, :-1]
        blurred[:, :-1] += 0.25 * planes[:, 1:]
        blurred[:, 0] += 0.25 * planes[:, 0]
        blurred[:, -1] += 0.25 * planes[:, -1]
        counts = blurred.reshape(counts.shape)
    return counts


def _ratio(counts: NDArray[np.float32], rare: float) -> Plane:
    return np.asarray(np.clip(np.log((counts[0] + rare) / (counts[1] + rare)), -_CLIP, _CLIP))
