"""Where an object is not seen, and where its mattes are unreliable."""

from collections.abc import Callable, Sequence

from vidstyle.segment.mattes.store import Mattes

#: Confidence below which a matte is doubtful: the tracker's estimate of the region similarity J.
#: With MobileSAM, by box, point and name, on six whole DAVIS clips, this flags 90 % of the frames
#: with J below 0.6 and 10 % of the others; 0.65 flags 88 % and 8 %, 0.7 93 % and 12 %. All but a
#: few of the poor frames are of two clips. Where two cross, by box, it flags 74 % and 22 %.
DOUBTFUL = 0.68

# Frames above that threshold that do not interrupt a doubtful run.
_BETWEEN = 4

Shots = Sequence[tuple[int, int]]
"""First frame and end of each."""


def lost_ranges(mattes: Mattes, shots: Shots) -> list[tuple[int, int]]:
    """The runs of frames (first, last) whose matte is empty; a run ends with its shot."""
    return _runs(lambda frame: mattes.box(frame) is None, shots)


def doubtful_ranges(mattes: Mattes, shots: Shots) -> list[tuple[int, int]]:
    """The runs of frames (first, last) whose matte is doubtful, bridging short gaps; a run ends
    with its shot. Empty mattes are not doubtful."""
    return _runs(
        lambda frame: mattes.box(frame) is not None and mattes.confidence(frame) < DOUBTFUL,
        shots,
        _BETWEEN,
    )


def _runs(holds: Callable[[int], bool], shots: Shots, between: int = 0) -> list[tuple[int, int]]:
    """Runs of frames for which ``holds`` is true, bridging gaps of at most ``between`` frames."""
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
