"""Only one process at a time writes an output."""

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path

from vidstyle.errors import UsageError
from vidstyle.runtime.atomic import unwritable
from vidstyle.runtime.leftovers import hidden_beside
from vidstyle.runtime.system import lock

# Errors of file systems without locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)

log = logging.getLogger(__name__)


@contextmanager
def claimed(*targets: str) -> Iterator[None]:
    """Lock outputs for this process while they are written.

    The system drops a lock with its process, so none outlives a killed run. Other machines see the
    lock on network file systems that support ``flock``, such as NFS.

    Args:
        targets: files and patterns, in existing folders.

    Raises:
        UsageError: another process is writing one of them.
        MediaError: the folder cannot be written to.
    """
    with ExitStack() as held:
        for target in targets:
            held.enter_context(_claimed(Path(target)))
        yield


@contextmanager
def _claimed(target: Path) -> Iterator[None]:
    path = hidden_beside(target, ".lock")
    file = _held(path, target)
    try:
        yield
    finally:
        with suppress(OSError):  # an empty leftover does no harm
            path.unlink()
        file.close()


def _held(path: Path, target: Path) -> TextIOWrapper:
    while True:
        try:
            file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise unwritable(target, error) from None
        try:
            lock(file)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                file.close()
                raise UsageError(
                    f"{target}: another run is writing it; wait for that, or name another output"
                ) from None
            log.debug("%s: its file system has no locks (%s)", target, error)
            return file
        # Between the two, the previous holder may have ended and removed the file.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()
