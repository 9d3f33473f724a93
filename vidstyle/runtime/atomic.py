"""Files and folders that appear under their final name complete, or not at all."""

import errno
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedRandom
from pathlib import Path

from vidstyle.errors import MediaError
from vidstyle.runtime.leftovers import hidden_beside, partial_beside

_FULL = "free the disk and run again"
_CLOSED = "name a folder that can be written"
_GONE = "its folder has gone; make it, or mount it again"
_ADVICE = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "this file system or limit holds no file of that size",
    errno.EROFS: _CLOSED,
    errno.EACCES: _CLOSED,
    errno.ENOENT: _GONE,
    errno.ESTALE: _GONE,
}


class Unfinished:
    """A file being written, under a hidden name of its own beside its target.

    Two writers of one target do not interfere: the last to finish wins.

    Attributes:
        path: where it is written; empty at first.
    """

    def __init__(self, target: Path, *, by_suffix: bool = False) -> None:
        """
        Args:
            by_suffix: see :func:`vidstyle.runtime.leftovers.partial_beside`.

        Raises:
            OSError: the disk cannot be written to.
        """
        self._target = target
        self.path = partial_beside(target, by_suffix=by_suffix)
        os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))

    def finish(self) -> None:
        """Give it its final name. From here on it survives a power loss.

        Raises:
            OSError: the disk cannot be written to.
        """
        _sync(self.path)
        self.path.replace(self._target)
        _sync_folder(self._target.parent)

    def discard(self) -> None:
        """Delete it. Safe to call once it is finished, or twice."""
        with suppress(OSError):  # what cannot be removed now is swept at a later start
            self.path.unlink(missing_ok=True)


@contextmanager
def in_the_making(target: Path, *, by_suffix: bool = False) -> Iterator[Path]:
    """A path to write to, beside ``target``, which is renamed to it when the block ends.

    Raises:
        MediaError: writing failed; nothing is left of the attempt.
    """
    try:
        unfinished = Unfinished(target, by_suffix=by_suffix)
        try:
            yield unfinished.path
            unfinished.finish()
        finally:
            unfinished.discard()
    except OSError as error:
        raise unwritable(target, error) from None


@contextmanager
def replacing(path: Path) -> Iterator[BufferedRandom]:
    """The same, opened; errors as for :func:`in_the_making`."""
    with in_the_making(path) as partial, partial.open("r+b") as file:
        yield file


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8 atomically; errors as for :func:`in_the_making`. Undecodable bytes
    of file names are written as ``\\udc..``, which JSON reads as Python does."""
    with replacing(path) as file:
        file.write(text.encode(errors="backslashreplace"))


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """A folder to fill, beside ``target``, which is renamed to it when the block ends. An existing
    ``target`` stays until then.

    Raises:
        MediaError: writing failed; nothing is left of the attempt.
    """
    partial = partial_beside(target)
    # Not swept: if this process is killed at that moment, it is the only copy.
    before = hidden_beside(target, f".{secrets.token_hex(4)}.before")
    try:
        partial.mkdir(parents=True)
        try:
            yield partial
            for file in partial.rglob("*"):
                if file.is_file():
                    _sync(file)
            # A folder cannot be replaced by another in one step.
            if target.exists():
                target.replace(before)
            partial.replace(target)
            _sync_folder(target.parent)
            if before.exists():
                before.replace(partial)
        finally:
            if before.exists() and not target.exists():
                before.replace(target)
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise unwritable(target, error) from None


def unwritable(path: Path, error: OSError) -> MediaError:
    """The error for a file that cannot be written."""
    advice = _ADVICE.get(error.errno or 0, "check the disk and run again")
    return MediaError(f"{path}: cannot be written ({error.strerror or error}); {advice}")


def _sync(file: Path) -> None:
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def _sync_folder(folder: Path) -> None:
    """A folder's entries persist once the folder itself is synced; Windows does that by itself."""
    if sys.platform == "win32":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        # Some network file systems cannot sync folders.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EACCES):
            raise
    finally:
        os.close(opened)
