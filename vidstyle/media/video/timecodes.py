"""SMPTE timecode (ST 12-1): of the first frame of a part, and of frames that a user names."""

import logging
import re
from fractions import Fraction

from timecode.timecode import Timecode, TimecodeError

from vidstyle.errors import UsageError
from vidstyle.media.video.clip import ClipInfo

log = logging.getLogger(__name__)

_NTSC = Fraction(30000, 1001)
_WRITTEN = re.compile(r"\d{1,2}:\d{1,2}:\d{1,2}[:;.]\d{1,3}")


def is_timecode(text: str) -> bool:
    """Whether a text has the form of a timecode, ``hh:mm:ss:ff`` or ``hh:mm:ss;ff``."""
    return _WRITTEN.fullmatch(text) is not None


def advanced(timecode: str, rate: Fraction, frames: int) -> str | None:
    """The timecode ``frames`` later; None, with a warning, if it does not fit the rate.

    Args:
        timecode: ``hh:mm:ss:ff``, or ``hh:mm:ss;ff`` for drop-frame counting.
        rate: frames per second.
        frames: how many to advance by.
    """
    try:
        start = _parse(timecode, rate)
    except ValueError as error:
        log.warning("timecode %s %s: left out", timecode, error)
        return None
    return str(start + frames) if frames else timecode


def frame_at(timecode: str, info: ClipInfo) -> int:
    """The number of the clip's frame with a timecode.

    Counts as the clip does, drop-frame or not, from its start timecode, and past midnight. A clip
    without one starts at 00:00:00:00; the log says so.

    Raises:
        UsageError: it is not a timecode, or no frame of the clip has it at its rate and counting.
    """
    start = info.timecode
    if start is None:
        start = "00:00:00;00" if ";" in timecode else "00:00:00:00"
        log.info("%s: no timecode; counting from %s", info.path, start)
    # Editors write either separator for drop-frame; a non-drop clip cannot take a drop timecode.
    wanted = timecode.replace(".", ":")
    if ";" in start:
        head, _, frame = wanted.replace(";", ":").rpartition(":")
        wanted = f"{head};{frame}"
    elif ";" in wanted:
        raise UsageError(
            f"timecode {timecode}: {info.path} counts non-drop; write {wanted.replace(';', ':')}"
        )
    try:
        first, named = _parse(start, info.rate), _parse(wanted, info.rate)
    except ValueError as error:
        raise UsageError(f"timecode {timecode}: {error}; give a frame number") from None
    number = int(named.frames - first.frames)
    if number < 0:
        number += _day(first, info.rate)
    if info.frame_count is not None and number >= info.frame_count:
        raise UsageError(
            f"timecode {timecode}: not in {info.path}, which goes from {start} to "
            f"{first + (info.frame_count - 1)}"
        )
    return number


def _parse(text: str, rate: Fraction) -> Timecode:
    """Raises ValueError, with the reason, for text that is not a timecode at the rate."""
    drop = ";" in text
    # 23.976 has no drop-frame counting, even if some software writes it.
    if drop and (rate / _NTSC).denominator != 1:
        raise ValueError(f"drops frames, which does not fit {_shown(rate)} frames/s")
    if not is_timecode(text):
        raise ValueError("is not a timecode (hh:mm:ss:ff)")
    try:
        parsed = Timecode(rate, text, force_non_drop_frame=not drop)
    except (TimecodeError, ValueError) as error:
        raise ValueError(f"cannot be read ({error})") from None
    # The library takes 61 s, and dropped numbers, for other times.
    if _numbers(str(parsed)) != _numbers(text):
        raise ValueError(f"does not exist at {_shown(rate)} frames/s")
    return parsed


def _numbers(timecode: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", timecode)]


def _day(timecode: Timecode, rate: Fraction) -> int:
    """Frames from midnight to midnight."""
    drop = bool(timecode.drop_frame)
    last = round(rate) - 1
    end = Timecode(rate, f"23:59:59{';' if drop else ':'}{last}", force_non_drop_frame=not drop)
    return int(end.frames)


def _shown(rate: Fraction) -> str:
    return f"{float(rate):.6g}"
