"""Arrays in a temporary file of bounded size."""

import logging
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Limits of one such file: bytes, and share of the free disk space.
MOST_BYTES, MOST_SHARE = 4 * 2**30, 0.25

log = logging.getLogger(__name__)


def room(folder: Path | None = None) -> int:
    """Bytes that an :class:`ArrayFile` may take.

    Args:
        folder: where; None for the system's temporary folder.

    Returns:
        :data:`MOST_BYTES`, or :data:`MOST_SHARE` of the free space there, whichever is less.
    """
    free = shutil.disk_usage(folder or tempfile.gettempdir()).free
    return min(MOST_BYTES, int(MOST_SHARE * free))


@dataclass(frozen=True)
class Place:
    """Where an array lies in a :class:`ArrayFile`."""

    start: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class ArrayFile:
    """Arrays in a file of bounded size, which is deleted when closed. Thread-safe.

    Recently written arrays lie in the system's page cache, so that reading them costs a copy.
    """

    def __init__(self, folder: Path | None = None, most: int | None = None) -> None:
        """
        Args:
            folder: of the file; None for the system's temporary folder.
            most: its size limit in bytes; None for :func:`room`.
        """
        self._file = tempfile.TemporaryFile(prefix="vidstyle-", dir=folder, buffering=0)  # noqa: SIM115
        self._room, self._used = room(folder) if most is None else most, 0
        self._lock = threading.Lock()

    def write(self, *arrays: NDArray[Any]) -> tuple[Place, ...] | None:
        """Store some arrays.

        Returns:
            Their places; None if there is no room for all of them.
        """
        with self._lock:
            if self._used + sum(array.nbytes for array in arrays) > self._room:
                return None
            try:
                return tuple([self._written(array) for array in arrays])
            except OSError as error:
                log.debug("%s: no more is kept from here on", error)
                self._room = 0
                return None

    def read(self, place: Place) -> NDArray[Any]:
        """A copy of the array that was written."""
        array = np.empty(place.shape, place.dtype)
        content = array.data.cast("B")
        with self._lock:
            self._file.seek(place.start)
            while content:
                content = content[self._file.readinto(content) :]
        return array

    def close(self) -> None:
        """Close and delete the file."""
        self._file.close()

    def _written(self, array: NDArray[Any]) -> Place:
        start = self._used
        content = np.ascontiguousarray(array).data.cast("B")
        self._file.seek(start)
        while content:
            content = content[self._file.write(content) :]
        self._used += array.nbytes
        return Place(start, array.shape, array.dtype)
