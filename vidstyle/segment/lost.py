"""Where an object is not seen."""

from collections.abc import Sequence

from vidstyle.segment.mattes import Mattes


def lost_ranges(mattes: Mattes, shots: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The runs of frames (first, last) whose matte is empty; a run ends with its shot.

    Args:
        shots: first frame and end of each.
    """
    ranges: list[tuple[int, int]] = []
    for start, stop in shots:
        open_ = False
        for frame in range(start, stop):
            if mattes.box(frame) is not None:
                open_ = False
            elif open_:
                ranges[-1] = (ranges[-1][0], frame)
            else:
                ranges.append((frame, frame))
                open_ = True
    return ranges
