"""A rendered segment on disk: its frames, losslessly, and a sidecar that certifies them.

The file begins with the pictures' size and depth and the coder's header, followed by each picture,
(H, W, 3), or (H, W, 4) for an element, prefixed with its length in bytes.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from io import BufferedRandom, BufferedReader
from pathlib import Path
from typing import BinaryIO

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from vidstyle.errors import MediaError
from vidstyle.farm.lossless import Coder, coder
from vidstyle.farm.manifest import Count, Sha256
from vidstyle.farm.sealed import read_sealed, write_sealed
from vidstyle.farm.work import WorkFolder
from vidstyle.media.frame import Frame
from vidstyle.media.video.clip import ClipWriter


@dataclass(frozen=True)
class Sidecar:
    """Metadata of a segment's file.

    Attributes:
        segment: its number.
        manifest: checksum of the manifest it was rendered for, which identifies settings,
            weights and analysis.
        frames: frame numbers in the clip, ascending.
        pts: their timestamps, in the clip's units.
        content: sha256 of the file.
        device: the device that rendered it.
        seconds: render time by stage.
    """

    segment: Count
    manifest: Sha256
    frames: tuple[Count, ...]
    pts: tuple[int, ...]
    content: Sha256
    device: str
    seconds: dict[str, float]


_SIDECAR = TypeAdapter(Sidecar)

#: Bytes of the length prefix of a header or picture.
_LENGTH = 4


class State(Enum):
    """The state of a segment on disk."""

    WHOLE = "whole"
    MISSING = "missing"
    DAMAGED = "damaged"
    OTHER = "rendered for another analysis"


class FramesWriter(ClipWriter):
    """Writes frames to an open file; the caller who opened it decides whether to keep it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._coder: Coder | None = None
        self.frames: list[int] = []
        self.pts: list[int] = []

    def write(self, frame: Frame) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`."""
        image = frame.image
        if frame.premultiplied and frame.alpha is not None:
            image = torch.dstack([image, frame.alpha])
        if self._coder is None:
            self._coder = coder(image)
            self._file.write(_beginning(image) + _measured(self._coder.header))
        self._file.write(_measured(self._coder.encode(image)))
        self.frames.append(frame.index)
        self.pts.append(frame.pts)

    def commit(self) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`; without frames the file is empty."""

    def abort(self) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`."""


def write_sidecar(work: WorkFolder, sidecar: Sidecar) -> None:
    """Write a segment's sidecar; its file must already be in place.

    Raises:
        MediaError: the disk write fails.
    """
    write_sealed(work.sidecar(sidecar.segment), asdict(sidecar))


def read_sidecar(work: WorkFolder, number: int) -> Sidecar:
    """Read a segment's sidecar.

    Raises:
        FileNotFoundError: there is none.
        MediaError: the sidecar is damaged.
    """
    path = work.sidecar(number)
    content, _ = read_sealed(path, "render it again")
    try:
        sidecar = _SIDECAR.validate_python(content)
    except ValidationError:
        raise MediaError(f"{path}: damaged; render it again") from None
    if sidecar.segment != number or len(sidecar.frames) != len(sidecar.pts):
        raise MediaError(f"{path}: from another segment; render it again")
    return sidecar


def state_of(work: WorkFolder, number: int, manifest: str) -> State:
    """The state of a segment, given the checksum of its analysis's manifest."""
    try:
        sidecar = read_sidecar(work, number)
        if sidecar.manifest != manifest:
            return State.OTHER
        with work.segment(number).open("rb") as file:
            found = checksum(file)
    except FileNotFoundError:
        return State.MISSING
    except (MediaError, OSError):
        return State.DAMAGED
    return State.WHOLE if found == sidecar.content else State.DAMAGED


def forget_others(work: WorkFolder, manifest: str) -> None:
    """Delete the segments that were rendered for another analysis.

    Args:
        manifest: checksum of this analysis's manifest.

    Raises:
        MediaError: they cannot be deleted.
    """
    for number in work.segments():
        try:
            is_other = read_sidecar(work, number).manifest != manifest
        except (FileNotFoundError, MediaError):
            continue  # gone or damaged: it is rendered again anyway
        if is_other:
            work.forget_segment(number)


def checksum(file: BufferedReader | BufferedRandom) -> str:
    """The sha256 of an open file's entire content."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def images(path: Path, count: int, like: Tensor) -> Iterator[Tensor]:
    """A segment's pictures, in order.

    Args:
        count: expected number of pictures.
        like: a picture of the same size and depth.

    Raises:
        MediaError: the file does not hold them.
    """
    if count == 0:
        return
    try:
        with path.open("rb") as file:
            beginning = _beginning(like)
            if file.read(len(beginning)) != beginning:
                raise ValueError("frames of another size or depth")
            pictures = coder(like, _next(file))
            for _ in range(count):
                yield pictures.decode(_next(file))
    except (OSError, ValueError) as error:
        raise MediaError(f"{path}: cannot be read ({error}); join with --repair") from None


def _beginning(like: Tensor) -> bytes:
    """The beginning of a file of such pictures."""
    height, width, channels = like.shape
    depth = str(like.dtype).removeprefix("torch.")
    return f"vidstyle segment 1: {width}x{height}x{channels} {depth}\n".encode()


def _measured(content: bytes) -> bytes:
    """The content, prefixed with its length in bytes."""
    return len(content).to_bytes(_LENGTH, "little") + content


def _next(file: BufferedReader) -> bytes:
    """Read what :func:`_measured` wrote.

    Raises:
        ValueError: the file ends early.
    """
    prefix = file.read(_LENGTH)
    length = int.from_bytes(prefix, "little")
    # A damaged length may be any number: never read more than the file's size.
    content = file.read(min(length, os.fstat(file.fileno()).st_size))
    if len(prefix) < _LENGTH or len(content) < length:
        raise ValueError("cut off")
    return content
