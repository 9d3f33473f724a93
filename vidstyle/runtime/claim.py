"""One maker at a time for an output."""

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

# What file systems say that know no locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)

log = logging.getLogger(__name__)


@contextmanager
def claimed(*targets: str) -> Iterator[None]:
    """Hold outputs for this process while they are made.

    The system forgets a claim with the process that made it, so none outlives a killed run. Network
    file systems show claims to other machines where they carry ``flock``, as NFS does.

    Args:
        targets: files and patterns, in folders that are there.

    Raises:
        UsageError: another process is making one of them.
        MediaError: the disk refuses.
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
        with suppress(OSError):  # an empty file that stays does no harm
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
        # Between the two, whoever held it before may have ended and taken the file away.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()
