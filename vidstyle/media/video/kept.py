"""A clip whose frames are decoded once: what has been read lies in a file, as far as there is room.

A render goes through a clip many times: for cuts, for what is to be found, forwards and backwards
for tracking, for edges, for statistics, and at last for the frames themselves. A frame that lies
uncompressed in the system's page cache costs a copy, and not a decoding.
"""

import logging
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from vidstyle.media.frame import Frame
from vidstyle.media.video.clip import ClipInfo, ClipReader, Damage

#: Bytes that the frames of a clip may take on the disk, and the share of what is free there.
MOST_BYTES, MOST_SHARE = 4 * 2**30, 0.25

_NOTHING = torch.empty(0)

log = logging.getLogger(__name__)


def room(folder: Path | None = None) -> int:
    """Bytes that a clip's frames may take.

    Args:
        folder: where; None for the system's temporary folder.

    Returns:
        :data:`MOST_BYTES`, or :data:`MOST_SHARE` of what is free there, where that is less.
    """
    free = shutil.disk_usage(folder or tempfile.gettempdir()).free
    return min(MOST_BYTES, int(MOST_SHARE * free))


@dataclass(frozen=True)
class _Place:
    """Where a frame lies in the file.

    Attributes:
        frame: without its pictures.
        planes: of image and, where it has one, alpha.
    """

    frame: Frame
    planes: tuple["_Plane", ...]


@dataclass(frozen=True)
class _Plane:
    start: int
    shape: tuple[int, ...]
    dtype: torch.dtype


class KeptClip:
    """A :class:`~vidstyle.media.video.clip.ClipReader` that keeps what it has read.

    Frames come back bit for bit; those for which there is no room are decoded each time. It may be
    read from several threads at once. What it keeps is gone when it is closed.
    """

    def __init__(self, reader: ClipReader, folder: Path | None, most: int | None = None) -> None:
        """
        Args:
            folder: of the file; None for the system's temporary folder.
            most: bytes that it may take; None for :func:`room`.
        """
        self._reader = reader
        self._file = tempfile.TemporaryFile(prefix="vidstyle-", dir=folder, buffering=0)  # noqa: SIM115
        self._room, self._used = room(folder) if most is None else most, 0
        self._lock = threading.Lock()
        # By number; None for a frame that is left out, since it is damaged.
        self._known: dict[int, _Place | None] = {}
        self._end: int | None = None

    @property
    def info(self) -> ClipInfo:
        """See :class:`~vidstyle.media.video.clip.ClipReader`."""
        return self._reader.info

    @property
    def damage(self) -> Damage:
        """See :class:`~vidstyle.media.video.clip.ClipReader`."""
        return self._reader.damage

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """See :class:`~vidstyle.media.video.clip.ClipReader`."""
        index = start
        while index not in (stop, self._end):
            if index in self._known:
                if (place := self._known[index]) is not None:
                    yield self._read(place)
                index += 1
                continue
            for frame in self._reader.frames(index, stop):
                self._keep(frame, after=index)
                index = frame.index + 1
                yield frame
                if index in self._known:
                    break
            else:
                # Where less was asked for, the frames up to there may be damaged.
                if stop is None:
                    self._end = index
                return

    def close(self) -> None:
        """No frame can be read any more."""
        self._file.close()

    def _keep(self, frame: Frame, after: int) -> None:
        """
        Args:
            after: the number that it would have if none before it were damaged.
        """
        pictures = [frame.image] if frame.alpha is None else [frame.image, frame.alpha]
        with self._lock:
            if frame.index in self._known:
                return
            size = sum(picture.nbytes for picture in pictures)
            if self._used + size > self._room:
                return
            try:
                planes = tuple([self._written(picture) for picture in pictures])
            except OSError as error:
                log.debug("%s: frames are decoded again from here on", error)
                self._room = 0
                return
            bare = replace(frame, image=_NOTHING, alpha=None)
            for missing in range(after, frame.index):
                self._known[missing] = None
            self._known[frame.index] = _Place(bare, planes)

    def _written(self, picture: Tensor) -> _Plane:
        start = self._used
        content = picture.contiguous().numpy().data.cast("B")
        self._file.seek(start)
        while content:
            content = content[self._file.write(content) :]
        self._used += picture.nbytes
        return _Plane(start, tuple(picture.shape), picture.dtype)

    def _read(self, place: _Place) -> Frame:
        image, *alpha = map(self._plane, place.planes)
        return replace(place.frame, image=image, alpha=alpha[0] if alpha else None)

    def _plane(self, plane: _Plane) -> Tensor:
        picture = torch.empty(plane.shape, dtype=plane.dtype)
        content = picture.numpy().data.cast("B")
        with self._lock:
            self._file.seek(plane.start)
            while content:
                content = content[self._file.readinto(content) :]
        return picture
