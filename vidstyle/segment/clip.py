"""The clip as segmentation sees it, and its pictures at the working size of tracking."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.media.frame import Frame

#: (H, W, 3), and one value for each pixel, (H, W).
Image = NDArray[np.uint8]
Plane = NDArray[np.float32]

LONG_SIDE = 854  # 480p: more helps flow and colour models little, and cost grows with area.


T = TypeVar("T")


class Clip(Protocol):
    """Frames with random access, which can be read any number of times."""

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the upright frames."""
        ...

    @property
    def count(self) -> int:
        """Number of frames."""
        ...

    def frames(self, start: int, stop: int | None) -> Iterator[Frame]:
        """Frames ``start`` to ``stop`` (exclusive; None: to the end), in order. Frames damaged
        beyond decoding are missing, and so is their number; never the last."""
        ...


def eight_bit(frame: Frame) -> Image:
    """A frame's picture (H, W, 3) in 8 bits."""
    image = frame.image.numpy()
    return image if image.dtype == np.uint8 else (image >> 8).astype(np.uint8)


def working_size(size: tuple[int, int]) -> tuple[int, int]:
    """(H, W) scaled down so that the long side is at most ``LONG_SIDE``."""
    scale = min(1.0, LONG_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def resized(image: Image, size: tuple[int, int]) -> Image:
    """A picture or matte resized to ``size`` (H, W), by area averaging if that is smaller."""
    if image.shape[:2] == size:
        return image
    shrinks = image.shape[0] > size[0]
    mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size[::-1], interpolation=mode), np.uint8)


def small_frames(clip: Clip, start: int, stop: int) -> Iterator[Image]:
    """Frames ``start`` to ``stop`` (exclusive) at the working size: one for every number. In place
    of a missing frame comes the one before it, or at the start the one after it."""
    size, due = working_size(clip.size), start
    latest: Image | None = None
    for frame in clip.frames(start, stop):
        image = resized(eight_bit(frame), size)
        while due < frame.index:
            yield image if latest is None else latest
            due += 1
        yield image
        latest, due = image, due + 1
    if due < stop:
        if latest is None:
            latest = resized(eight_bit(first_frame(clip, stop)), size)
        yield from [latest] * (stop - due)


def first_frame(clip: Clip, number: int) -> Frame:
    """A frame; the next one if it is missing."""
    exact = next(clip.frames(number, number + 1), None)
    return next(clip.frames(number + 1, clip.count)) if exact is None else exact


def small_frames_backwards(clip: Clip, start: int, stop: int, chunk: int = 64) -> Iterator[Image]:
    """Frames ``stop`` - 1 down to ``start`` at the working size.

    The clip is read in chunks from the end, so that memory holds ``chunk`` small frames regardless
    of its length.
    """
    for end in range(stop, start, -chunk):
        yield from reversed(list(small_frames(clip, max(start, end - chunk), end)))


def after_another(items: Iterable[T]) -> Iterator[tuple[T | None, T]]:
    """Each item with the one before it; None before the first."""
    latest: T | None = None
    for item in items:
        yield latest, item
        latest = item
