"""A clip whose frames are decoded once and then kept in a file, as far as there is room.

A render reads a clip many times: for cuts, for detection, forwards and backwards for tracking, for
edges, for statistics, and finally for the frames themselves. A frame that lies uncompressed in the
system's page cache costs a copy instead of a decode.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from vidstyle.media.frame import Frame
from vidstyle.media.video.clip import ClipInfo, ClipReader, Damage
from vidstyle.runtime.array_file import ArrayFile, Place

_NOTHING = torch.empty(0)


@dataclass(frozen=True)
class _Place:
    """Where a frame lies in the file.

    Attributes:
        frame: without its image and alpha.
        planes: of the image and, if it has one, the alpha.
    """

    frame: Frame
    planes: tuple[Place, ...]


class KeptClip:
    """A :class:`~vidstyle.media.video.clip.ClipReader` that caches what it has read.

    Frames come back bit for bit; those that do not fit are decoded each time. Thread-safe. Closing
    it deletes the cache.
    """

    def __init__(self, reader: ClipReader, folder: Path | None, most: int | None = None) -> None:
        """
        Args:
            folder: of the file; None for the system's temporary folder.
            most: its size limit in bytes; None for ``array_file.room``.
        """
        self._reader = reader
        self._file = ArrayFile(folder, most)
        self._lock = threading.Lock()
        # By number; None for a frame that is skipped because it is damaged.
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
                # With a ``stop``, frames up to it may just be damaged.
                if stop is None:
                    self._end = index
                return

    def close(self) -> None:
        """Delete the cache; no frame can be read any more."""
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
            planes = self._file.write(*(picture.numpy() for picture in pictures))
            if planes is None:
                return
            bare = replace(frame, image=_NOTHING, alpha=None)
            for missing in range(after, frame.index):
                self._known[missing] = None
            self._known[frame.index] = _Place(bare, planes)

    def _read(self, place: _Place) -> Frame:
        image, *alpha = (torch.from_numpy(self._file.read(plane)) for plane in place.planes)
        return replace(place.frame, image=image, alpha=alpha[0] if alpha else None)
