"""Mattes on disk: the ones that the tracker writes, and the ones that an artist gives."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.errors import MediaError
from vidstyle.frame import Box
from vidstyle.pattern import pictures, split_channel
from vidstyle.picture import Values, read_channel, read_picture

Matte = NDArray[np.uint8]


class Mattes(Protocol):
    """One matte a frame: (H, W), uint8, 255 inside the object."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Matte: ...

    def box(self, index: int) -> Box | None:
        """The smallest box that holds every non-zero pixel; None for an empty matte."""
        ...

    def confidence(self, index: int) -> float:
        """How far a matte can be relied on: about its intersection over union with the truth, as
        the tracker estimates it. 1 for what the user gave, 0 for an empty matte."""
        return 1.0 if self.box(index) else 0.0


def bounding_box(matte: Matte) -> Box | None:
    """The smallest box that holds every non-zero pixel of ``matte`` (H, W); None if none is."""
    x, y, width, height = cv2.boundingRect(matte)
    return Box(x, y, x + width, y + height) if width else None


class MatteStore(Mattes):
    """A folder of 8-bit PNG files, written as the mattes are made: memory holds only boxes and
    confidences.

    Mattes never written read as empty. Existing files of the folder are written over.
    """

    def __init__(self, folder: Path, size: tuple[int, int], count: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._size = size
        self._boxes: list[Box | None] = [None] * count
        self._confidences = [1.0] * count

    def __len__(self) -> int:
        return len(self._boxes)

    def __getitem__(self, index: int) -> Matte:
        if self.box(index) is None:
            return np.zeros(self._size, np.uint8)
        return read_matte(self.path(index), self._size)

    def __setitem__(self, index: int, matte: Matte) -> None:
        self.put(index, matte, 1.0)

    def put(self, index: int, matte: Matte, confidence: float) -> None:
        """Store a matte (H, W) and how far it can be relied on."""
        self._boxes[index] = bounding_box(matte)
        self._confidences[index] = confidence
        path = self.path(index)
        # Level 1: mattes are flat, and higher levels save little and take several times longer.
        if not cv2.imwrite(str(path), matte, [cv2.IMWRITE_PNG_COMPRESSION, 1]):
            raise MediaError(f"{path}: the matte cannot be written; is the disk full?")

    def box(self, index: int) -> Box | None:
        return self._boxes[index]

    def confidence(self, index: int) -> float:
        return self._confidences[index] if self.box(index) else 0.0

    def path(self, index: int) -> Path:
        """The file of a frame's matte."""
        return self.folder / f"{range(len(self._boxes))[index]:06d}.png"


class HeldMattes(Mattes):
    """A few mattes, held in memory."""

    def __init__(self, mattes: Sequence[Matte]) -> None:
        self._mattes = mattes

    def __len__(self) -> int:
        return len(self._mattes)

    def __getitem__(self, index: int) -> Matte:
        return self._mattes[index]

    def box(self, index: int) -> Box | None:
        return bounding_box(self[index])


class GivenMattes(Mattes):
    """Mattes from a numbered sequence or a folder, read when they are asked for, so that a farm
    task reads only its own.

    Args:
        pattern: ``m.%04d.png``, ``m.####.png``, ``comp.####.exr#channel``, or a folder.
        size: (H, W) of the clip's frames.
        count: number of the clip's frames.
        start: the first frame that is asked for; see ``first_given``.

    Raises:
        MediaError: there are fewer mattes than frames, or (then, or when read) a matte is
            unreadable or of another size than the frames.
    """

    def __init__(self, pattern: str, size: tuple[int, int], count: int, start: int = 0) -> None:
        name, self._channel = split_channel(pattern)
        try:
            self._files = [file.path for file in pictures(name)]
        except MediaError as error:
            raise MediaError(f"matte:{error}") from None
        self._first = first_given(f"matte:{pattern}", len(self._files), start, count)
        self._size, self._count = size, count
        self._boxes: dict[int, Box | None] = {}
        self[start]

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Matte:
        matte = read_matte(self._files[index - self._first], self._size, self._channel)
        self._boxes[index] = bounding_box(matte)
        return matte

    def box(self, index: int) -> Box | None:
        if index not in self._boxes:
            self[index]
        return self._boxes[index]


def first_given(origin: str, given: int, start: int, count: int) -> int:
    """The frame that the first of given mattes belongs to: 0, or ``start`` where there are just as
    many as frames from there to the clip's end.

    Args:
        origin: what the user named.
        given: how many mattes there are.
        start: the first frame that is asked for.
        count: number of the clip's frames.

    Raises:
        MediaError: there are too few.
    """
    if given >= count:
        return 0
    if given == count - start:
        return start
    raise MediaError(
        f"{origin}: {given} mattes for frames {start} to {count - 1}; give one for each of them, "
        "or for the whole clip"
    )


def read_matte(path: Path, size: tuple[int, int], channel: str | None = None) -> Matte:
    """Read a matte from a picture: the channel of that name, or else its alpha unless that is
    opaque everywhere, or else its grey values. Floats are cut to [0, 1].

    Raises:
        MediaError: the file is missing, unreadable, not of ``size`` (H, W), or has no such
            channel.
        UsageError: it takes the ``post`` extra, which is not installed.
    """
    matte = _alpha_or_grey(path) if channel is None else read_channel(path, channel)
    if matte.shape != size:
        raise MediaError(
            f"{path}: this matte has {matte.shape[1]}x{matte.shape[0]} pixels, the clip "
            f"{size[1]}x{size[0]}; give mattes of the clip's size"
        )
    return _in_eight_bits(matte)


def _alpha_or_grey(path: Path) -> Values:
    picture = read_picture(path)
    if picture.alpha is not None and (picture.alpha != picture.alpha.max()).any():
        return picture.alpha
    return np.asarray(cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY))


def _in_eight_bits(matte: Values) -> Matte:
    if matte.dtype == np.uint8:
        return np.ascontiguousarray(matte)
    if matte.dtype == np.uint16:
        return np.asarray((matte.astype(np.uint32) + 128) // 257, np.uint8)
    return np.asarray(np.rint(np.nan_to_num(matte).clip(0, 1) * 255), np.uint8)
