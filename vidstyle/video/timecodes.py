"""SMPTE timecode of a clip's first frame."""

import logging
from fractions import Fraction

from timecode.timecode import Timecode, TimecodeError

log = logging.getLogger(__name__)


def advanced(timecode: str, rate: Fraction, frames: int) -> str | None:
    """The timecode ``frames`` later; None, with a warning, where it does not fit the rate.

    Args:
        timecode: ``hh:mm:ss:ff``, or ``hh:mm:ss;ff`` for drop-frame counting.
        rate: frames per second.
        frames: how many to count on.
    """
    drop = ";" in timecode
    if drop and rate.denominator != 1001:
        log.warning("drop-frame timecode %s does not fit %s frames/s: left out", timecode, rate)
        return None
    try:
        start = Timecode(rate, timecode, force_non_drop_frame=not drop)
    except (TimecodeError, ValueError) as error:
        log.warning("timecode %s cannot be read (%s): left out", timecode, error)
        return None
    return str(start + frames) if frames else timecode
