"""Temporary folders for a run."""

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
    """A temporary folder, removed when the block ends.

    Leftovers of killed processes are swept first: mattes of a long shot take gigabytes. Failure to
    remove the folder is ignored.

    Raises:
        MediaError: there is no place for temporary files, or it cannot be written to.
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
