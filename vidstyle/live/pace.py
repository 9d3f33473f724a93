"""The largest picture that this machine restyles in time."""

import time
from collections.abc import Callable

#: Part of the time between two frames that may be spent on one; the rest is for decoding and
#: showing.
BUDGET = 0.85
#: Heights are multiples of this: two steps of the network's grid at its coarse scale.
STEP = 16
LEAST = 96
#: The height that is timed first.
TRIAL = 144


def choose_height(seconds: Callable[[int], float], rate: float, largest: int) -> int:
    """The largest height whose frames are restyled as fast as they come.

    The time of a frame grows with its pixels, so with the square of its height, from a trial on;
    what was so foretold is tried, and made smaller where it takes too long after all.

    Args:
        seconds: times a frame at a height.
        rate: frames a second that come.
        largest: the source's own height.

    Returns:
        a height from LEAST up, at most ``largest``.
    """
    budget = BUDGET / rate
    height = min(TRIAL, largest)
    taken = seconds(height)
    foretold = _fitting(height, budget / taken, largest)
    while foretold > height or taken > budget:
        if foretold == height == min(LEAST, largest):
            return height
        height, taken = foretold, seconds(foretold)
        if taken <= budget:
            return height
        foretold = min(_fitting(height, budget / taken, largest), max(LEAST, height - STEP))
    return height


def timed(step: Callable[[], object], side_by_side: int) -> float:
    """Seconds from one step's end to the next's, in the mean, after one that warms up.

    Args:
        side_by_side: how many are in progress at a time, and may end together.
    """
    step()
    times = max(3, 2 * side_by_side)
    start = time.perf_counter()
    for _ in range(times):
        step()
    return (time.perf_counter() - start) / times


def _fitting(height: int, times: float, largest: int) -> int:
    """The height of ``times`` the pixels."""
    if height * times**0.5 >= largest:
        return largest
    return max(min(LEAST, largest), int(height * times**0.5) // STEP * STEP)
