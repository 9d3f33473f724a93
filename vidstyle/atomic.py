"""Files that appear under their name whole, or not at all."""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path

from vidstyle.errors import MediaError

PARTIAL = ".partial"
"""How the name of a file in the making ends; it begins with a dot and the final name."""

_ADVICE = {
    errno.ENOSPC: "free the disk and run again",
    errno.EDQUOT: "free the disk and run again",
    errno.EFBIG: "this file system or limit holds no file of that size",
    errno.EROFS: "name a folder that can be written",
    errno.EACCES: "name a folder that can be written",
    errno.ENOENT: "its folder has gone; make it, or mount it again",
    errno.ESTALE: "its folder has gone; make it, or mount it again",
}


# Bytes of a name that a hidden one keeps; file systems take 255 in all.
_KEPT = 180


def hidden_beside(path: Path, ending: str) -> Path:
    """A name for what is not whole yet, beside ``path``: a dot, its name (see :func:`shortened`), a
    dot and ``ending``."""
    return path.with_name(f".{shortened(path.name)}.{ending}")


def shortened(name: str) -> str:
    """A file's name to which something can be added; of a very long one a part and a checksum."""
    stored = os.fsencode(name)
    if len(stored) <= _KEPT:
        return name
    short = stored[:_KEPT].decode(errors="ignore")
    return f"{short}.{hashlib.sha256(stored).hexdigest()[:8]}"


@contextmanager
def replacing(path: Path) -> Iterator[BufferedRandom]:
    """A file to write, beside ``path`` under a name of its own, that takes the name when the
    block ends. Two that write one name do not disturb each other: the later to end wins.

    Raises:
        MediaError: the disk refuses; nothing is left of the attempt.
    """
    partial = hidden_beside(path, f"{secrets.token_hex(4)}{PARTIAL}")
    try:
        try:
            with partial.open("x+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise unwritable(path, error) from None


def write_text(path: Path, text: str) -> None:
    """A text file in UTF-8, whole or not at all; errors as of :func:`replacing`. What of a file's
    name is no text stands in it as ``\\udc..``, which JSON reads as Python does."""
    with replacing(path) as file:
        file.write(text.encode(errors="backslashreplace"))


def unwritable(path: Path, error: OSError) -> MediaError:
    """What to tell of a file that the disk refuses."""
    advice = _ADVICE.get(error.errno or 0, "check the disk and run again")
    return MediaError(f"{path}: cannot be written ({error.strerror or error}); {advice}")
