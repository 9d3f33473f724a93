"""Matching given mattes to frames: by the numbers in their names, never by their order."""

import logging
from collections.abc import Iterable, Sequence
from itertools import islice

from vidstyle.errors import MediaError

logger = logging.getLogger(__name__)


def match_numbers(
    origin: str, given: Sequence[int], frames: range, plates: Sequence[int] | None
) -> dict[int, int]:
    """Each frame's index in ``given``.

    Mattes for a numbered plate sequence use the plates' numbers. A video has none: unless the
    mattes use its frame numbers, counted from 0, the first matte belongs to its first frame, or to
    the first requested frame if they match the requested frames in number. Gaps stay gaps.

    Args:
        origin: what the user named.
        given: numbers of the mattes, ascending.
        frames: the requested ones, up to the end of the clip or of its part.
        plates: number of each of the clip's frames; None for a video.

    Raises:
        MediaError: a frame has no matte.
    """
    if len(given) == len(frames) == 1:
        return {frames.start: 0}  # single pictures have no numbers
    if plates is None:
        first = _number_of_the_first(origin, given, frames)
        wanted = {frame: first + frame for frame in frames}
    else:
        wanted = {frame: plates[frame] for frame in frames}
    place = {number: place for place, number in enumerate(given)}
    _check_all_there(origin, wanted, place)
    first, last = frames.start, frames.stop - 1
    logger.info("%s: %d-%d for frames %d-%d", origin, wanted[first], wanted[last], first, last)
    if plates is not None and (extra := sorted(place.keys() - set(plates))):
        logger.warning("%s: no plate has the numbers %s; not used", origin, _told(extra))
    elif plates is None and (extra := sorted(place.keys() - set(wanted.values()))):
        logger.info("%s: numbers %s are not used", origin, _told(extra))
    return {frame: place[number] for frame, number in wanted.items()}


def _number_of_the_first(origin: str, given: Sequence[int], frames: range) -> int:
    """The number that the matte for a video's frame 0 has, or would have."""
    first, last = given[0], given[-1]
    numbers = last - first + 1
    # Numbers from 1 are for a whole clip, unless they end where a part of it does.
    of_part = first == frames.start and (first > 1 or last < frames.stop)
    if first == 0 or of_part:
        return 0
    if numbers >= frames.stop:
        return first
    if numbers == len(frames):
        return first - frames.start
    raise MediaError(
        f"{origin}: {len(given)} mattes for frames {frames.start} to {frames.stop - 1}; give one "
        "for each of them, or for the whole clip"
    )


def _check_all_there(origin: str, wanted: dict[int, int], place: dict[int, int]) -> None:
    if not place.keys() & set(wanted.values()):
        raise MediaError(
            f"{origin}: numbered {_range(place)}, the plates {_range(wanted.values())}; "
            "number the mattes as the plates are"
        )
    missing = [frame for frame, number in wanted.items() if number not in place]
    if missing:
        raise MediaError(
            f"{origin}: no matte numbered {_told([wanted[frame] for frame in missing])}, for "
            f"{len(missing)} of {len(wanted)} frames from frame {missing[0]} on; give one for each "
            "frame, black where the object is not seen"
        )


def _range(numbers: Iterable[int]) -> str:
    rising = sorted(numbers)
    return f"{rising[0]}-{rising[-1]}"


def _told(numbers: Sequence[int]) -> str:
    """The first few runs of consecutive numbers, as text."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    told = [str(a) if a == b else f"{a}-{b}" for a, b in islice(runs, 5)]
    return ", ".join(told) + (", …" if len(runs) > 5 else "")
