"""A rendered segment on disk: its frames, as they are, and a sidecar that vouches for them.

The frames are one array (N, H, W, 3), or (N, H, W, 4) of an element, in NumPy's own format,
uncompressed: deflating them costs a fifth of rendering and saves a fifth of the space.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from io import BufferedRandom, BufferedReader, BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.lib import format as npy
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from vidstyle.errors import MediaError
from vidstyle.farm.manifest import Count, Sha256
from vidstyle.farm.sealed import read_sealed, write_sealed
from vidstyle.farm.work import WorkFolder
from vidstyle.media.frame import Frame
from vidstyle.media.video.clip import ClipWriter


@dataclass(frozen=True)
class Sidecar:
    """What is known of a segment's file.

    Attributes:
        segment: its number.
        manifest: checksum of the manifest that it was rendered for, which names settings,
            weights and analysis.
        frames: their numbers in the clip, rising.
        pts: their times, in the clip's units.
        content: sha256 of the file.
        device: where it was rendered.
        seconds: by stage.
    """

    segment: Count
    manifest: Sha256
    frames: tuple[Count, ...]
    pts: tuple[int, ...]
    content: Sha256
    device: str
    seconds: dict[str, float]


_SIDECAR = TypeAdapter(Sidecar)


class State(Enum):
    """What is found where a segment should be."""

    WHOLE = "whole"
    MISSING = "missing"
    DAMAGED = "damaged"
    OTHER = "rendered for another analysis"


class FramesWriter(ClipWriter):
    """Frames into an open file; whether it is kept is up to who opened it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._first: Tensor | None = None
        self.frames: list[int] = []
        self.pts: list[int] = []

    def write(self, frame: Frame) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`."""
        image = frame.image
        if frame.premultiplied and frame.alpha is not None:
            image = torch.dstack([image, frame.alpha])
        if self._first is None:
            self._first = image
            self._file.write(_header(image, 0))
        self._file.write(image.contiguous().numpy().data)
        self.frames.append(frame.index)
        self.pts.append(frame.pts)

    def commit(self) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`; without a frame the file is empty."""
        if self._first is not None:
            # NumPy leaves room in the header for the first axis to grow.
            self._file.seek(0)
            self._file.write(_header(self._first, len(self.frames)))

    def abort(self) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`."""


def write_sidecar(work: WorkFolder, sidecar: Sidecar) -> None:
    """Vouch for a segment; its file must be in place.

    Raises:
        MediaError: the disk refuses.
    """
    write_sealed(work.sidecar(sidecar.segment), asdict(sidecar))


def read_sidecar(work: WorkFolder, number: int) -> Sidecar:
    """What is known of a segment.

    Raises:
        FileNotFoundError: nothing.
        MediaError: the sidecar is damaged.
    """
    path = work.sidecar(number)
    content, _ = read_sealed(path, "render it again")
    try:
        sidecar = _SIDECAR.validate_python(content)
    except ValidationError:
        raise MediaError(f"{path}: damaged; render it again") from None
    if sidecar.segment != number or len(sidecar.frames) != len(sidecar.pts):
        raise MediaError(f"{path}: of another segment; render it again")
    return sidecar


def state_of(work: WorkFolder, number: int, manifest: str) -> State:
    """Whether a segment is there, whole, and of the analysis with this checksum."""
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


def checksum(file: BufferedReader | BufferedRandom) -> str:
    """The sha256 of an open file's content, from its beginning."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def images(path: Path, count: int, like: Tensor) -> Iterator[Tensor]:
    """A segment's pictures, one after the other.

    Args:
        count: how many there must be.
        like: a picture of the same size and depth.

    Raises:
        MediaError: the file does not hold them.
    """
    if count == 0:
        return
    dtype = like.numpy().dtype
    size = dtype.itemsize * like.numel()
    try:
        with path.open("rb") as file:
            # Compared, not parsed: NumPy's parser raises whatever a wrong character comes to.
            header = _header(like, count)
            if file.read(len(header)) != header:
                raise ValueError("frames of another size or depth")
            for _ in range(count):
                content = file.read(size)
                if len(content) < size:
                    raise ValueError("cut off")
                yield torch.from_numpy(np.frombuffer(bytearray(content), dtype)).view(like.shape)
    except (OSError, ValueError) as error:
        raise MediaError(f"{path}: cannot be read ({error}); join with --repair") from None


def _header(like: Tensor, count: int) -> bytes:
    """How a file of so many such pictures begins."""
    description = npy.dtype_to_descr(like.numpy().dtype)
    header = BytesIO()
    npy.write_array_header_1_0(
        header, {"descr": description, "fortran_order": False, "shape": (count, *like.shape)}
    )
    return header.getvalue()
