"""How large a picture may be: a few kilobytes can claim to be gigabytes of pixels."""

import os

from vidstyle.errors import MediaError, UsageError

VARIABLE = "VIDSTYLE_MAX_PIXELS"
"""Environment variable that ``--max-pixels`` sets, for this process and those that it starts."""

MOST = 1 << 27
"""Pixels of a frame unless set otherwise: 16384×8192, twice what any camera takes."""


def most_pixels() -> int:
    """Pixels that a frame may have.

    Raises:
        UsageError: the variable holds no such number.
    """
    text = os.environ.get(VARIABLE, str(MOST))
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 1 << 31:
        raise UsageError(f"{VARIABLE}={text}: not a number of pixels; unset it, or give one")
    return int(text)


def check_size(name: object, width: int, height: int) -> None:
    """Refuse what is larger, before memory is taken for it.

    Args:
        name: of the file.

    Raises:
        MediaError: it is.
    """
    most = most_pixels()
    if width * height > most:
        raise MediaError(
            f"{name}: {width}x{height} pixels are more than the {most} that are allowed; "
            "if that is intended, raise --max-pixels"
        )
