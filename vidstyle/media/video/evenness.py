"""Clips whose frames come at an even rate, and containers that take no others.

Matroska timestamps are milliseconds, in which 24 frames a second become 42, 41, 42 …, and would
stay so in a container with a finer clock: the true rate is found.
"""

from fractions import Fraction
from pathlib import Path

from vidstyle.errors import UsageError
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.codecs import COUNTED
from vidstyle.media.video.decode import PacketIndex

# Frames fewer ticks apart do not determine a rate.
_LEAST_TICKS = 4
# Seconds; a finer clock is exact enough.
_COARSE = Fraction(1, 2000)

# Seconds: twice the error of an even time in a container with millisecond timestamps.
_ROUNDING = Fraction(2, 1000)


def even_rate(info: ClipInfo) -> Fraction | None:
    """The rate that all frames of a file match to within a tick of its coarse clock.

    Returns:
        None if the clock is fine, frames are uneven, or their times cannot be known without
        decoding.
    """
    return _rate_of(_times(info), info) if _is_coarse(info) else None


def check_even(target: str, info: ClipInfo, start: int, stop: int | None) -> None:
    """Check that a container that numbers its frames can hold those of a part, so that no render
    fails in the middle.

    Times that only decoding shows, and frames found damaged, are left to :func:`check_counted`.

    Raises:
        UsageError: see there.
    """
    if Path(target).suffix.lower() not in COUNTED:
        return
    times = _times(info)
    rate = (_is_coarse(info) and _rate_of(times, info)) or info.rate
    for number, time in enumerate(times[start:stop]):
        check_counted(target, time - times[start], number, rate, start + number)


def check_counted(target: str, time: Fraction, number: int, rate: Fraction, frame: int) -> None:
    """Check that a frame comes when a container that numbers its frames shows it.

    Args:
        time: since the first frame, in seconds.
        number: of the frame in the container.
        frame: of the frame in the clip, to be named.

    Raises:
        UsageError: it does not.
    """
    if round(time * rate) != number or abs(time - number / rate) > _ROUNDING:
        kind = Path(target).suffix.lower().removeprefix(".")
        raise UsageError(
            f"{target}: {kind} cannot hold frames at uneven times, as at frame {frame}; "
            "end the name in .mkv or .mp4"
        )


def _is_coarse(info: ClipInfo) -> bool:
    """Whether a clip's clock is too coarse to show its rate, but fine enough to determine it."""
    if info.is_sequence or info.time_base < _COARSE:
        return False
    return 1 / info.rate >= _LEAST_TICKS * info.time_base


def _rate_of(times: list[Fraction], info: ClipInfo) -> Fraction | None:
    """See :func:`even_rate`; None without times."""
    if not times:
        return None
    return next((rate for rate in _candidates(info.rate) if _keep_to(rate, times, info)), None)


def _times(info: ClipInfo) -> list[Fraction]:
    """Seconds from the first frame to each; none if they cannot be known without decoding."""
    if info.is_sequence:
        return [(number - info.numbers[0]) * info.time_base for number in info.numbers]
    index = PacketIndex.build(info) if Path(info.path).is_file() else None
    if index is None:
        return []
    return [(pts - index.pts[0]) * info.time_base for pts in index.pts]


def _candidates(told: Fraction) -> list[Fraction]:
    """Common rates that a stated or measured one may stand for, then that one."""
    whole = round(told)
    usual = [Fraction(whole), Fraction(1000 * whole, 1001)]
    near = [rate for rate in usual if abs(rate - told) < told / 500]
    return [*sorted(near, key=lambda rate: abs(rate - told)), told]


def _keep_to(rate: Fraction, times: list[Fraction], info: ClipInfo) -> bool:
    return all(abs(time - round(time * rate) / rate) <= info.time_base for time in times)
