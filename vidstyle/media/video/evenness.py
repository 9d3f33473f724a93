"""The true rate of clips whose clock is too coarse to show it.

Matroska timestamps are milliseconds, in which 24 frames a second become 42, 41, 42 …, and would
stay so in a container with a finer clock.
"""

from fractions import Fraction
from pathlib import Path

from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.decode import PacketIndex

# Frames fewer ticks apart do not determine a rate.
_LEAST_TICKS = 4
# Seconds; a finer clock is exact enough.
_COARSE = Fraction(1, 2000)


def even_rate(info: ClipInfo) -> Fraction | None:
    """The rate that all frames of a file match to within a tick of its coarse clock.

    Returns:
        None if the clock is fine, frames are uneven, or their times cannot be known without
        decoding.
    """
    if info.is_sequence or info.time_base < _COARSE or not Path(info.path).is_file():
        return None
    if 1 / info.rate < _LEAST_TICKS * info.time_base:
        return None
    index = PacketIndex.build(info)
    if index is None or not index.pts:
        return None
    times = [(pts - index.pts[0]) * info.time_base for pts in index.pts]
    return next((rate for rate in _candidates(info.rate) if _keep_to(rate, times, info)), None)


def _candidates(told: Fraction) -> list[Fraction]:
    """Common rates that a stated or measured one may stand for, then that one."""
    whole = round(told)
    usual = [Fraction(whole), Fraction(1000 * whole, 1001)]
    near = [rate for rate in usual if abs(rate - told) < told / 500]
    return [*sorted(near, key=lambda rate: abs(rate - told)), told]


def _keep_to(rate: Fraction, times: list[Fraction], info: ClipInfo) -> bool:
    return all(abs(time - round(time * rate) / rate) <= info.time_base for time in times)
