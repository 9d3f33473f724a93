"""Mattes on disk: those written by the tracker, and those supplied by an artist."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from vidstyle.errors import MediaError
from vidstyle.media.frame import Box
from vidstyle.media.pattern import pictures, split_channel
from vidstyle.runtime.atomic import unwritable
from vidstyle.segment.mattes.matte_picture import Matte, MatteReader
from vidstyle.segment.mattes.numbering import match_numbers

__all__ = ["GivenMattes", "HeldMattes", "Matte", "MatteStore", "Mattes", "bounding_box"]


class Mattes(Protocol):
    """One matte per frame: (H, W), uint8, 255 inside the object."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Matte: ...

    def box(self, index: int) -> Box | None:
        """The bounding box of the non-zero pixels; None for an empty matte."""
        ...

    def confidence(self, index: int) -> float:
        """How reliable a matte is: the tracker's estimate of its intersection over union with the
        ground truth. 1 for the user's own mattes, 0 for an empty one."""
        return 1.0 if self.box(index) else 0.0


def bounding_box(matte: Matte) -> Box | None:
    """The bounding box of the non-zero pixels of ``matte`` (H, W); None if there are none."""
    x, y, width, height = cv2.boundingRect(matte)
    return Box(x, y, x + width, y + height) if width else None


class MatteStore(Mattes):
    """A folder of 8-bit PNG files, written as the mattes are made; only boxes and confidences are
    held in memory.

    Mattes that were never written read as empty. Existing files are overwritten.
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
        path = self.path(index)
        matte = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if matte is None or matte.shape != self._size:
            raise MediaError(f"{path}: a matte of this run is gone or damaged; run it again")
        return np.asarray(matte, np.uint8)

    def __setitem__(self, index: int, matte: Matte) -> None:
        self.put(index, matte, 1.0)

    def put(self, index: int, matte: Matte, confidence: float) -> None:
        """Store a matte (H, W) and its confidence."""
        self._boxes[index] = bounding_box(matte)
        self._confidences[index] = confidence
        path = self.path(index)
        # Level 1: mattes are flat, and higher levels save little and take several times longer.
        encoded = cv2.imencode(".png", matte, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
        try:
            path.write_bytes(encoded.data)
        except OSError as error:
            raise unwritable(path, error) from None

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
    """Mattes from a numbered sequence or a folder, read on demand, so that a farm task reads only
    its own.

    Args:
        pattern: ``m.%04d.png``, ``m.####.png``, ``comp.####.exr#channel``, ``m.####.png#label``,
            or a folder.
        size: (H, W) of the clip's frames.
        count: number of the clip's frames.
        start: the first requested frame.
        plates: number of each of the clip's frames; None for a video. See ``match_numbers``.

    Raises:
        MediaError: a frame has no matte, or (here or on a later read) a matte is unreadable or its
            size differs from the frames'.
    """

    def __init__(
        self,
        pattern: str,
        size: tuple[int, int],
        count: int,
        start: int = 0,
        plates: Sequence[int] | None = None,
    ) -> None:
        name, pick = split_channel(pattern)
        origin = f"matte:{pattern}"
        try:
            given = pictures(name)
        except MediaError as error:
            raise MediaError(f"matte:{error}") from None
        numbers = [file.number for file in given]
        matched = match_numbers(origin, numbers, range(start, count), plates)
        self._files = {frame: given[place].path for frame, place in matched.items()}
        self._read = MatteReader([*self._files.values()], size, pick, origin)
        self._count = count
        self._boxes: dict[int, Box | None] = {}
        self[start]

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Matte:
        matte = self._read(self._files[index])
        self._boxes[index] = bounding_box(matte)
        return matte

    def box(self, index: int) -> Box | None:
        if index not in self._boxes:
            self[index]
        return self._boxes[index]


def agreement(a: Matte, b: Matte) -> float:
    """Intersection over union of two mattes (H, W), 0 to 1; 1 if both are empty."""
    one, other = a > 127, b > 127
    union = int((one | other).sum())
    return float((one & other).sum() / union) if union else 1.0
