"""Where an object is not seen, and where its mattes are not to be relied on."""

from collections.abc import Callable, Sequence

from vidstyle.segment.mattes.store import Mattes

#: Confidence below which a matte is doubtful. It is the region similarity J that the tracker
#: expects. With MobileSAM, by box, point and name, on six whole DAVIS clips, this flags 81 % of the
#: frames of J below 0.6 and 9 % of the others; 0.65 flagged 69 % and 5 %, 0.72 85 % and 14 %.
DOUBTFUL = 0.7

# Frames in between that are no better news.
_BETWEEN = 4

Shots = Sequence[tuple[int, int]]
"""First frame and end of each."""


def lost_ranges(mattes: Mattes, shots: Shots) -> list[tuple[int, int]]:
    """The runs of frames (first, last) whose matte is empty; a run ends with its shot."""
    return _runs(lambda frame: mattes.box(frame) is None, shots)


def doubtful_ranges(mattes: Mattes, shots: Shots) -> list[tuple[int, int]]:
    """The runs of frames (first, last) whose matte is doubtful, with a few in between; a run ends
    with its shot. Where nothing is seen, nothing is doubted."""
    return _runs(
        lambda frame: mattes.box(frame) is not None and mattes.confidence(frame) < DOUBTFUL,
        shots,
        _BETWEEN,
    )


def _runs(holds: Callable[[int], bool], shots: Shots, between: int = 0) -> list[tuple[int, int]]:
    """Runs of frames of which something holds, but for ``between`` of them at most at a time."""
    ranges: list[tuple[int, int]] = []
    for start, stop in shots:
        last: int | None = None
        for frame in filter(holds, range(start, stop)):
            if last is not None and frame - last <= between + 1:
                ranges[-1] = (ranges[-1][0], frame)
            else:
                ranges.append((frame, frame))
            last = frame
    return ranges
