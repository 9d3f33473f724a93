"""The largest picture that this machine restyles in real time."""

import time
from collections.abc import Callable

#: Share of the frame interval that may be spent restyling; the rest is for decoding and display.
BUDGET = 0.85
#: Heights are multiples of this: two steps of the network's grid at its coarse scale.
STEP = 16
LEAST = 96
#: The first height to be timed.
TRIAL = 144


def choose_height(seconds: Callable[[int], float], rate: float, largest: int) -> int:
    """The largest height whose frames are restyled as fast as they arrive.

    Starting from a trial, a frame's time is taken to grow with its pixels, so with the square of
    its height; the predicted height is timed, and reduced if it proves too slow.

    Args:
        seconds: times a frame at a height.
        rate: frames per second that arrive.
        largest: the source's own height.

    Returns:
        A height of at least LEAST and at most ``largest``.
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
    """Mean seconds from the end of one step to the next, after a warm-up step.

    Args:
        side_by_side: how many steps run concurrently, and may end together.
    """
    step()
    times = max(3, 2 * side_by_side)
    start = time.perf_counter()
    for _ in range(times):
        step()
    return (time.perf_counter() - start) / times


def _fitting(height: int, times: float, largest: int) -> int:
    """The height with ``times`` as many pixels."""
    if height * times**0.5 >= largest:
        return largest
    return max(min(LEAST, largest), int(height * times**0.5) // STEP * STEP)
