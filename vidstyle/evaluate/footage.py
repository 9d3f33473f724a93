"""Read the compared clips in parallel, frame by frame."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from vidstyle.errors import MediaError
from vidstyle.evaluate.regions import regions
from vidstyle.media.colour_management import open_seen
from vidstyle.media.frame import Frame, unit_range
from vidstyle.media.pattern import PICTURE_SUFFIXES, is_sequence
from vidstyle.media.video.clip import ClipReader
from vidstyle.segment.mattes.matte_picture import read_matte
from vidstyle.segment.mattes.store import GivenMattes, Matte, Mattes

#: SSIM's window, the largest that must fit into a frame.
LEAST_SIDE = 11


@dataclass(frozen=True)
class Instant:
    """One frame of all clips. Holds code values, since several instants are in memory at once.

    Attributes:
        index: of the frame, in its clip.
        pictures: (H, W, 3) code values, one per clip.
        matte: (H, W), 255 inside the object; None if there is none.
    """

    index: int
    pictures: tuple[Tensor, ...]
    matte: Matte | None

    def images(self) -> Tensor:
        """(clips, 3, H, W) in [0, 1]."""
        return torch.stack([unit_range(picture) for picture in self.pictures])

    def regions(self) -> dict[str, Tensor]:
        """See :func:`vidstyle.evaluate.regions.regions`."""
        height, width = self.pictures[0].shape[:2]
        return regions((height, width), self.matte)


def open_alike(sources: Sequence[str], *, part: bool = False) -> list[ClipReader]:
    """Readers of clips of equal size and, as far as containers tell, equal length. A row or column
    that was added to make a size even is ignored.

    Args:
        part: all but the first contain only part of it, and have a different length.

    Raises:
        MediaError: a clip cannot be read, or differs from the first.
    """
    readers = [open_seen(source) for source in sources]
    first = readers[0].info
    if min(first.size) < LEAST_SIDE:
        raise MediaError(
            f"{sources[0]}: frames smaller than {LEAST_SIDE} pixels cannot be compared"
        )
    for source, reader in zip(sources, readers, strict=True):
        info = reader.info
        if info.size not in (first.size, _padded(first.size)):
            raise MediaError(
                f"{source}: {info.width}×{info.height} pixels, but {sources[0]} has "
                f"{first.width}×{first.height}; give clips of one size"
            )
        if not part and None not in (info.frame_count, first.frame_count):
            _check_length(source, info.frame_count, sources[0], first.frame_count)
    return readers


def together(
    readers: Sequence[ClipReader],
    matte: str | Mattes | None,
    start: int,
    stop: int | None,
    *,
    part: bool = False,
) -> Iterator[Instant]:
    """All clips and the object's mattes, frame by frame, from ``start`` up to ``stop``.

    Args:
        matte: file, clip or sequence; or mattes indexed by the first clip's frames.
        part: all clips but the first, and matte movies, begin at ``start``.

    Raises:
        MediaError: a clip or the mattes end before the others, or a frame cannot be decoded.
    """
    names = [reader.info.path for reader in readers]
    begins = [start if part and number else 0 for number in range(len(readers))]
    streams = [
        reader.frames(start - begin, None if stop is None else stop - begin)
        for reader, begin in zip(readers, begins, strict=True)
    ]
    mattes = None
    if isinstance(matte, str):
        mattes = _mattes(matte, readers[0], start, stop, part)
    elif matte is not None:
        mattes = (matte[index] for index in range(start, len(matte)))
    for index, frames in enumerate(zip_longest(*streams), start):
        pictures = tuple(
            _picture(frame, index - begin, name, readers[0].info.size)
            for frame, begin, name in zip(frames, begins, names, strict=True)
        )
        found = next(mattes, None) if mattes else None
        if mattes and found is None:
            raise MediaError(f"{matte}: no matte of frame {index}; give one for every frame")
        yield Instant(index, pictures, found)


def window(instants: Iterator[Instant], length: int) -> Iterator[deque[Instant]]:
    """The latest ``length`` instants, the current one last; fewer at the start."""
    held: deque[Instant] = deque(maxlen=length)
    for instant in instants:
        held.append(instant)
        yield held


def _picture(frame: Frame | None, index: int, name: str, size: tuple[int, int]) -> Tensor:
    if frame is None:
        raise MediaError(
            f"{name}: ends before frame {index}, other clips go on; give all alike, or say "
            "which frames it holds: --part --in FIRST --out LAST"
        )
    if frame.index != index:
        raise MediaError(f"{name}: frame {index} is damaged; render it again, or leave it out")
    return frame.image[: size[0], : size[1]]


def _padded(size: tuple[int, int]) -> tuple[int, int]:
    """The size (H, W) of an output for players that require even sides."""
    return size[0] + size[0] % 2, size[1] + size[1] % 2


def _check_length(source: str, count: int | None, other: str, expected: int | None) -> None:
    if count != expected:
        raise MediaError(
            f"{source}: {count} frames, but {other} has {expected}; give clips of one length, or "
            "say which frames it holds: --part --in FIRST --out LAST"
        )


def _mattes(
    source: str, clip: ClipReader, start: int, stop: int | None, part: bool
) -> Iterator[Matte]:
    """Mattes from frame ``start`` on: from a sequence, by the numbers in its names; from a movie,
    which begins at ``start`` if ``part``; or one picture for all frames."""
    path, size = Path(source), clip.info.size
    if path.is_file() and path.suffix.lower() in PICTURE_SUFFIXES:
        matte = read_matte(path, size)
        while True:
            yield matte
    elif is_sequence(source):
        count = clip.info.frame_count or sum(1 for _ in clip.frames())
        end = count if stop is None else min(stop, count)
        mattes = GivenMattes(source, size, end, start, clip.info.numbers or None)
        yield from (mattes[index] for index in range(start, end))
    else:
        reader = open_seen(source)
        if reader.info.size != size:
            raise MediaError(
                f"--matte {source}: {reader.info.width}×{reader.info.height} pixels, the clips "
                f"have {size[1]}×{size[0]}; give mattes of their size"
            )
        for frame in reader.frames(0 if part else start):
            grey = unit_range(frame.image).movedim(0, -1).mul(255).round().byte().numpy()
            yield np.asarray(cv2.cvtColor(grey, cv2.COLOR_RGB2GRAY), np.uint8)
