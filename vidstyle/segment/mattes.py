"""Mattes on disk: the ones that the tracker writes, and the ones that an artist gives."""

import re
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.errors import MediaError
from vidstyle.frame import Box
from vidstyle.segment.sequence import sequence_files

Matte = NDArray[np.uint8]


class Mattes(Protocol):
    """One matte a frame: (H, W), uint8, 255 inside the object."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Matte: ...

    def box(self, index: int) -> Box | None:
        """The smallest box that holds every non-zero pixel; None for an empty matte."""
        ...


def bounding_box(matte: Matte) -> Box | None:
    """The smallest box that holds every non-zero pixel of ``matte`` (H, W); None if none is."""
    x, y, width, height = cv2.boundingRect(matte)
    return Box(x, y, x + width, y + height) if width else None


class MatteStore:
    """A folder of 8-bit PNG files, written as the mattes are made: memory holds only boxes.

    Mattes never written read as empty. Existing files of the folder are written over.
    """

    def __init__(self, folder: Path, size: tuple[int, int], count: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._size = size
        self._boxes: list[Box | None] = [None] * count

    def __len__(self) -> int:
        return len(self._boxes)

    def __getitem__(self, index: int) -> Matte:
        if self.box(index) is None:
            return np.zeros(self._size, np.uint8)
        return read_matte(self.path(index), self._size)

    def __setitem__(self, index: int, matte: Matte) -> None:
        self._boxes[index] = bounding_box(matte)
        path = self.path(index)
        # Level 1: mattes are flat, and higher levels save little and take several times longer.
        if not cv2.imwrite(str(path), matte, [cv2.IMWRITE_PNG_COMPRESSION, 1]):
            raise MediaError(f"{path}: the matte cannot be written; is the disk full?")

    def box(self, index: int) -> Box | None:
        return self._boxes[index]

    def path(self, index: int) -> Path:
        """The file of a frame's matte."""
        return self.folder / f"{range(len(self._boxes))[index]:06d}.png"


class GivenMattes:
    """Mattes from a numbered sequence or a folder; the nth file belongs to frame n.

    Files are read when asked for, so a farm task reads only its own.

    Args:
        pattern: ``m.%04d.png``, ``m.####.png`` or a folder; 8- or 16-bit pictures.
        size: (H, W) of the clip's frames.
        count: number of the clip's frames.

    Raises:
        MediaError: there are fewer mattes than frames, or (then, or when read) a matte is
            unreadable or of another size than the frames.
    """

    def __init__(self, pattern: str, size: tuple[int, int], count: int) -> None:
        files = sequence_files(pattern)
        if not files:
            raise MediaError(f"matte:{pattern}: there is no such folder or sequence of pictures")
        if len(files) < count:
            last = re.sub(r"\s+", " ", files[-1].name)
            raise MediaError(
                f"matte:{pattern}: {len(files)} mattes for {count} frames; frames {len(files)} "
                f"to {count - 1} have none (the last is {last})"
            )
        self._files = files[:count]
        self._size = size
        self._boxes: dict[int, Box | None] = {}
        self[0]

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> Matte:
        matte = read_matte(self._files[index], self._size)
        self._boxes[index] = bounding_box(matte)
        return matte

    def box(self, index: int) -> Box | None:
        if index not in self._boxes:
            self[index]
        return self._boxes[index]


def read_matte(path: Path, size: tuple[int, int]) -> Matte:
    """Read a matte from a picture of 8 or 16 bits: its grey values, or its alpha channel unless
    that is opaque everywhere.

    Raises:
        MediaError: the file is missing, unreadable, or not of ``size`` (H, W).
    """
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
    if picture is None:
        reason = "cannot be read as a picture" if path.exists() else "is missing"
        raise MediaError(f"{path}: this matte {reason}; give an 8- or 16-bit PNG or TIFF")
    if picture.dtype not in (np.uint8, np.uint16):
        raise MediaError(f"{path}: {picture.dtype} mattes are not read; give 8 or 16 bits")
    if picture.shape[:2] != size:
        raise MediaError(
            f"{path}: this matte has {picture.shape[1]}x{picture.shape[0]} pixels, the clip "
            f"{size[1]}x{size[0]}; give mattes of the clip's size"
        )
    if picture.ndim == 3:
        opaque = picture.shape[2] < 4 or bool((picture[..., 3] == picture[..., 3].max()).all())
        picture = cv2.cvtColor(picture[..., :3], cv2.COLOR_BGR2GRAY) if opaque else picture[..., 3]
    if picture.dtype == np.uint16:
        picture = ((picture.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.ascontiguousarray(picture)
