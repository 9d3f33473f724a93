"""Painting the keys of one object: what each starts from, and which frames are proposed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from vidstyle.carry.carried import Carried
from vidstyle.carry.key import PaintedFrame
from vidstyle.errors import ObjectNotFoundError
from vidstyle.media.frame import Box, Frame, unit_range
from vidstyle.motion.estimator import FlowEstimator
from vidstyle.painter.painter import Painter
from vidstyle.painter.synthesis import Known
from vidstyle.pipeline.analysis import Take
from vidstyle.pipeline.carrying import Footage, carry, proposed
from vidstyle.pipeline.fading import lifted
from vidstyle.runtime.progress import Progress
from vidstyle.segment.clip import first_frame
from vidstyle.segment.mattes.store import Mattes

#: Maximum rounds of proposing and painting frames, once each shot has a key.
PASSES = 3
#: Requirements for a shot's first key: the matte's confidence relative to the best, and the
#: object's area relative to its median.
SURE, LARGE = 0.9, 0.75

Keep = Callable[[Frame, Tensor], PaintedFrame]
"""Stores the painting of a frame of the clip, (1, 3, H, W) in [0, 1], as a key."""


class Easel:
    """Paints the keys of one object, each consistent with those before it."""

    def __init__(
        self,
        take: Take,
        mattes: Mattes,
        painter: Painter,
        flow: FlowEstimator,
        keep: Keep,
        work: Path,
        progress: Progress,
        given: Sequence[PaintedFrame] = (),
    ) -> None:
        """
        Args:
            mattes: of the object.
            flow: for carrying keys.
            keep: called with each painting.
            work: folder for carried keys.
            given: existing keys.
        """
        self._take, self._mattes, self._painter = take, mattes, painter
        self._footage, self._flow = Footage(take, mattes, take.fades), flow
        self._keep, self._work, self._progress = keep, work, progress
        self.keys = list(given)

    def check_seen(self, frames: Sequence[int]) -> None:
        """
        Raises:
            ObjectNotFoundError: the object is not visible in one of the frames.
        """
        for frame in frames:
            if self._mattes.box(frame) is None:
                raise ObjectNotFoundError(
                    f"--key {frame}: the object is not seen in that frame; name one that shows it, "
                    "or give a box, point or mask there"
                )

    def paint(self, frame: int) -> None:
        """Paint a frame, starting from what the neighbouring keys show of it.

        Raises:
            MediaError: it cannot be written.
        """
        start, stop = next(span for span in self._take.spans if span[0] <= frame < span[1])
        here = [key for key in self.keys if start <= key.frame < stop]
        before = [key for key in here if key.frame < frame]
        after = [key for key in here if key.frame > frame]
        beside = [
            *sorted(before, key=lambda key: key.frame)[-1:],
            *sorted(after, key=lambda key: key.frame)[:1],
        ]
        carried = None
        if beside:
            between = [frame, *(key.frame for key in beside)]
            carried = self._carried(beside, [(min(between), max(between) + 1)])
        self._paint(frame, carried)

    def paint_proposed(self) -> None:
        """Paint a good frame of each shot without a key, then frames that the keys show poorly,
        until the keys show enough of the object, in at most :data:`PASSES` rounds.

        Raises:
            ObjectNotFoundError: the object is not visible in any frame.
            MediaError: a key cannot be written.
        """
        for span in self._take.spans:
            if not any(span[0] <= key.frame < span[1] for key in self.keys):
                first = first_key(self._mattes, span)
                if first is not None:
                    self._paint(first, None)
        if not self.keys:
            raise ObjectNotFoundError(
                "--key auto: the object is not seen in any frame; give a box, point or mask"
            )
        for _ in range(PASSES):
            carried = self._carried(self.keys, self._take.spans)
            frames = proposed(carried.confidences)
            if not frames:
                return
            for frame in frames:
                self._paint(frame, carried)

    def _carried(self, keys: Sequence[PaintedFrame], spans: Sequence[tuple[int, int]]) -> Carried:
        folder = self._work / f"carried.{len(self.keys)}"
        return carry(keys, spans, self._footage, self._flow, folder, self._progress, styled=True)

    def _paint(self, number: int, carried: Carried | None) -> None:
        frame = first_frame(self._take, number)
        plate = lifted(unit_range(frame.image)[None], [frame], self._take.fades)
        matte = torch.from_numpy(self._mattes[number])[None, None].float() / 255
        found = carried and carried.painted(number, Box(0, 0, plate.shape[3], plate.shape[2]))
        self._progress.stage("paint", self._painter.rounds)
        paint = self._painter(
            plate, matte, Known(*found) if found else None, self._progress.advance
        )
        self.keys.append(self._keep(frame, paint))


def first_key(mattes: Mattes, span: tuple[int, int]) -> int | None:
    """The frame of a shot to paint first: of those whose matte is almost as good as the best, and
    in which the object is almost as large as usual, the one nearest to the middle of its time on
    screen; None if no frame shows it.

    Args:
        span: first frame and end of the shot.
    """
    # The matte's area, not its box's, which stays large when half of the object is occluded.
    areas = {frame: int((mattes[frame] > 127).sum()) for frame in range(*span) if mattes.box(frame)}
    if not areas:
        return None
    best = max(map(mattes.confidence, areas))
    middle = (min(areas) + max(areas)) / 2
    good = [
        frame
        for frame, area in areas.items()
        if mattes.confidence(frame) >= SURE * best and area >= LARGE * median(areas.values())
    ]
    return min(good or areas, key=lambda frame: abs(frame - middle))
