"""How large a picture may be: a few kilobytes can claim to be gigabytes of pixels."""

import os

from vidstyle.errors import MediaError, UsageError

VARIABLE = "VIDSTYLE_MAX_PIXELS"
"""Environment variable that ``--max-pixels`` sets, for this process and its children."""

MOST = 1 << 27
"""Default limit of pixels per frame: 16384×8192, twice what any camera takes."""


def most_pixels() -> int:
    """The most pixels that a frame may have.

    Raises:
        UsageError: the variable is not a valid number.
    """
    text = os.environ.get(VARIABLE, str(MOST))
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 1 << 31:
        raise UsageError(f"{VARIABLE}={text}: not a number of pixels; unset it, or give one")
    return int(text)


def check_size(name: object, width: int, height: int) -> None:
    """Reject a larger picture before memory is allocated for it.

    Args:
        name: the file, for the message.

    Raises:
        MediaError: the picture is too large.
    """
    most = most_pixels()
    if width * height > most:
        raise MediaError(
            f"{name}: {width}x{height} pixels are more than the {most} that are allowed; "
            "if that is intended, raise --max-pixels"
        )
