"""Folders for what a run needs only while it lasts."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vidstyle.errors import MediaError
from vidstyle.runtime.atomic import unwritable
from vidstyle.runtime.leftovers import sweep, tag


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder among the system's temporary ones, gone when the block ends.

    What killed processes left there is swept first: mattes of a long shot are gigabytes. That the
    folder cannot be removed does not spoil what was made with it.

    Raises:
        MediaError: there is no place for temporary files, or the disk refuses.
    """
    try:
        parent = Path(tempfile.gettempdir())
    except FileNotFoundError:
        raise MediaError("no temporary folder is writable; set TMPDIR") from None
    sweep(parent)
    folder = parent / f"vidstyle{tag()}"
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise unwritable(folder, error) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
