"""Entry point: from ``--object SPEC`` to a matte for every frame of a clip."""

import logging
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from vidstyle.errors import ObjectNotFoundError
from vidstyle.media.frame import Frame
from vidstyle.runtime.array_file import ArrayFile
from vidstyle.segment.clip import Clip, eight_bit, resized
from vidstyle.segment.detectors.detector import Detector
from vidstyle.segment.keys import KeyMattes, find_keys
from vidstyle.segment.mattes.edges import Edges
from vidstyle.segment.mattes.guided import upsample
from vidstyle.segment.mattes.islands import without_specks
from vidstyle.segment.mattes.store import GivenMattes, Matte, Mattes, MatteStore
from vidstyle.segment.prompts import NamePrompt, ObjectSpec
from vidstyle.segment.segmenters.segmenter import Segmenter
from vidstyle.segment.tracking.hold import hold
from vidstyle.segment.tracking.pair_flows import PairFlows
from vidstyle.segment.tracking.propagate import passes
from vidstyle.segment.tracking.steady import Seen, steadied

logger = logging.getLogger(__name__)


class Tools(Protocol):
    """The models that find and cut out objects; each may be loaded on first use."""

    @property
    def segmenter(self) -> Segmenter:
        """Cuts out an object that was prompted or detected."""
        ...

    @property
    def detector(self) -> Detector | None:
        """Finds objects by name; None if there is none."""
        ...


def find_mattes(
    spec: ObjectSpec,
    clip: Clip,
    shots: Sequence[tuple[int, int]],
    tools: Tools,
    folder: Path,
    progress: Callable[[int], None],
    edges: Edges = upsample,
    plates: Sequence[int] | None = None,
) -> Mattes:
    """Find, segment and track one object through a clip.

    A prompt for a frame applies to that frame's shot; a name is searched for in every shot.
    Shots without the object, and frames outside all shots, get empty mattes.

    Args:
        shots: first frame and end (exclusive) of each shot, in order, not overlapping.
        tools: only what the prompts need is loaded.
        folder: receives the mattes as ``%06d.png``, created if missing; given mattes are not
            copied.
        progress: called with the number of frames newly done; they add up to the frames of all
            shots. Called with 0 wherever work can be interrupted.
        edges: upsamples tracked mattes to the clip's size.
        plates: plate number of each frame, for matching given mattes; None for a video.

    Returns:
        ``clip.count`` mattes of the clip's size.

    Raises:
        UsageError: a prompt is outside the frame or the clip.
        MediaError: a mask or matte cannot be read or does not fit the clip.
        WeightsError: an object is named, but there is no detector.
        ObjectNotFoundError: the detector does not know a name, a mask is empty, or no shot
            contains the object.
    """
    if spec.given is not None:
        mattes = GivenMattes(spec.given.pattern, clip.size, clip.count, shots[0][0], plates)
        progress(sum(stop - start for start, stop in shots))
        return mattes
    spec.check_inside(clip.size)
    spec.check_frames(shots[0][0], shots[-1][1])
    detector = tools.detector if spec.names else None
    spec.check_names(detector)
    store = MatteStore(folder, clip.size, clip.count)
    go_on = partial(progress, 0)

    def track(faint: bool) -> list[tuple[int, int]]:
        """Returns the shots without the object."""
        empty = []
        for shot in shots:
            if things := find_keys(spec, clip, shot, tools.segmenter, detector, faint, go_on):
                _track(things, clip, shot, tools.segmenter, store, progress, edges)
            else:
                empty.append(shot)
        return empty

    empty = track(faint=False)
    if len(empty) == len(shots) and any(isinstance(p, NamePrompt) for p in spec.names):
        empty = track(faint=True)
        if len(empty) < len(shots):
            logger.warning(
                "%s %s: detected with low confidence, so it may be something else; "
                "check its mattes, or give a box, point or mask",
                spec.option, spec,
            )  # fmt: skip
    for start, stop in empty if len(empty) < len(shots) else ():
        logger.warning("frames %d-%d: no %s found", start, stop - 1, spec)
        progress(stop - start)
    if len(empty) == len(shots):
        raise ObjectNotFoundError(
            f"{spec.option} {spec}: not found in the clip; give a box, point or mask"
        )
    return store


def _track(
    things: Sequence[KeyMattes],
    clip: Clip,
    shot: tuple[int, int],
    segmenter: Segmenter,
    store: MatteStore,
    progress: Callable[[int], None],
    edges: Edges,
) -> None:
    """Track every thing at the working size, then merge the mattes, stabilise them over time and
    upsample them to the clip's size."""
    start, stop = shot
    length = stop - start
    given = _united([thing.given for thing in things])
    tick = _Ticks(
        progress, length, sum(passes(t.small, shot, segmenter.renews) for t in things) + length
    )
    with (
        tempfile.TemporaryDirectory(dir=store.folder, prefix="tracking-") as temporary,
        closing(ArrayFile()) as file,
    ):
        flows = PairFlows(file=file)
        tracked = [
            hold(
                thing, clip, shot, segmenter, Path(temporary, str(number)), tick, flows, tick.go_on
            )
            for number, thing in enumerate(things)
        ]
        tick.finish(length)

        def mattes(index: int) -> list[Matte]:
            # A named object is one body; what was pointed at may be a juggler with his balls.
            return [
                small[index] if thing.certain else without_specks(small[index])
                for thing, small in zip(things, tracked, strict=True)
            ]

        def all_given(frame: int) -> bool:
            return frame in given and not any(
                mattes.box(frame - start)
                for thing, mattes in zip(things, tracked, strict=True)
                if frame not in thing.given
            )

        # Stabilisation reads some frames ahead, from another thread.
        taken: deque[Frame] = deque()

        def views() -> Iterator[Seen]:
            for frame in clip.frames(start, stop):
                taken.append(frame)
                yield _view(frame, mattes(frame.index - start), fixed=all_given(frame.index))

        due = start
        with steadied(views(), flows) as steady:
            for small in steady:
                frame = taken.popleft()
                if all_given(frame.index):
                    matte, confidence = given[frame.index], 1.0
                else:
                    matte = edges(small, eight_bit(frame))
                    confidence = _confidence(tracked, frame.index - start)
                    if frame.index in given:
                        matte = np.maximum(matte, given[frame.index])
                # A missing frame is never painted; with a matte it does not count as one in which
                # the object is lost.
                for number in range(due, frame.index + 1):
                    store.put(number, matte, confidence)
                due = frame.index + 1
                tick()
        tick.finish(0)


def _confidence(tracked: Sequence[Mattes], index: int) -> float:
    """The lowest confidence of the things that are visible."""
    seen = [mattes.confidence(index) for mattes in tracked if mattes.box(index)]
    return min(seen, default=0.0)


def _view(frame: Frame, mattes: Sequence[Matte], fixed: bool) -> Seen:
    """All mattes of a frame merged into one."""
    united = np.maximum.reduce(mattes)
    return Seen(resized(eight_bit(frame), united.shape), united, fixed)


def _united(given: Iterable[Mapping[int, Matte]]) -> dict[int, Matte]:
    """The given mattes of all things, merged frame by frame."""
    united: dict[int, Matte] = {}
    for mattes in given:
        for frame, matte in mattes.items():
            united[frame] = np.maximum(matte, united[frame]) if frame in united else matte
    return united


class _Ticks:
    """Turns ``units`` steps of work into ``frames`` frames of progress."""

    def __init__(self, progress: Callable[[int], None], frames: int, units: int) -> None:
        self._progress = progress
        self._frames, self._units, self._done = frames, units, 0

    def __call__(self) -> None:
        self.finish(self._units - self._done - 1)

    def go_on(self) -> None:
        """Report no progress, so that work can be interrupted."""
        self._progress(0)

    def finish(self, left: int) -> None:
        """All but the last ``left`` units are done; any that were not needed are skipped."""
        before = self._done * self._frames // self._units
        self._done = max(self._done, self._units - max(left, 0))
        self._progress(self._done * self._frames // self._units - before)
