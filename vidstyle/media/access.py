"""Files that the system does not let be read."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from vidstyle.errors import MediaError

# Permissions; disks and network mounts that fail or have gone.
_REFUSALS = (errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE, errno.ENOTCONN)


def refused(error: Exception) -> str | None:
    """What to say of a file that the system does not let be read; None for other errors."""
    if not isinstance(error, OSError) or error.errno not in _REFUSALS or error.filename is None:
        return None
    why = f"cannot be read ({error.strerror}); check its permissions and its disk"
    return f"{error.filename}: {why}"


@contextmanager
def readable() -> Iterator[None]:
    """Surrounds what looks at files, as a block or a decorator.

    Raises:
        MediaError: the system does not let one be read.
    """
    try:
        yield
    except OSError as error:
        if told := refused(error):
            raise MediaError(told) from None
        raise
