"""Files and folders that appear under their name whole, or not at all."""

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
    """A file in the making, under a hidden name of its own beside its target.

    Two that write one target do not disturb each other: the later to finish wins.

    Attributes:
        path: where it is written; empty at first.
    """

    def __init__(self, target: Path, *, by_suffix: bool = False) -> None:
        """
        Args:
            by_suffix: see :func:`vidstyle.runtime.leftovers.partial_beside`.

        Raises:
            OSError: the disk refuses.
        """
        self._target = target
        self.path = partial_beside(target, by_suffix=by_suffix)
        os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))

    def finish(self) -> None:
        """Give it its name. From here on it survives a loss of power.

        Raises:
            OSError: the disk refuses.
        """
        _sync(self.path)
        self.path.replace(self._target)
        _sync_folder(self._target.parent)

    def discard(self) -> None:
        """Leave nothing of it. Harmless when it is finished, or twice."""
        with suppress(OSError):  # what cannot be removed now is swept at a later start
            self.path.unlink(missing_ok=True)


@contextmanager
def in_the_making(target: Path, *, by_suffix: bool = False) -> Iterator[Path]:
    """A path to write to, beside ``target``, that takes the name when the block ends.

    Raises:
        MediaError: the disk refuses; nothing is left of the attempt.
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
    """The same, open; errors as of :func:`in_the_making`."""
    with in_the_making(path) as partial, partial.open("r+b") as file:
        yield file


def write_text(path: Path, text: str) -> None:
    """A text file in UTF-8, whole or not at all; errors as of :func:`in_the_making`. What of a
    file's name is no text stands in it as ``\\udc..``, which JSON reads as Python does."""
    with replacing(path) as file:
        file.write(text.encode(errors="backslashreplace"))


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """A folder to fill, beside ``target``, that takes the name when the block ends. What bears it
    until then stays until then.

    Raises:
        MediaError: the disk refuses; nothing is left of the attempt.
    """
    partial = partial_beside(target)
    # Not swept: should this process be killed just then, it is the only one there is.
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
    """What to say of a file that the disk refuses."""
    advice = _ADVICE.get(error.errno or 0, "check the disk and run again")
    return MediaError(f"{path}: cannot be written ({error.strerror or error}); {advice}")


def _sync(file: Path) -> None:
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def _sync_folder(folder: Path) -> None:
    """What a folder lists lasts when the folder itself is on the disk; Windows sees to that."""
    if sys.platform == "win32":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        # Some network file systems sync no folders.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EACCES):
            raise
    finally:
        os.close(opened)
