"""The numbers that ``--segments`` names."""

import re

from vidstyle.errors import UsageError

#: No grid is larger: a day of film at 120 frames a second, in segments of two frames.
_LARGEST = 10_000_000


def parse_segments(text: str) -> range:
    """``4`` or ``0-3``, both ends included.

    Raises:
        UsageError: anything else, or a range that runs backwards.
    """
    match = re.fullmatch(r"([0-9]{1,8})(?:-([0-9]{1,8}))?", text)
    if match is None:
        raise UsageError(f"--segments {text}: not a range; give one number, or two as in 0-3")
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first or last > _LARGEST:
        raise UsageError(f"--segments {text}: no segment lies between; give the lesser first")
    return range(first, last + 1)
