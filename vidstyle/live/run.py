"""A live frame's path: taken while it is the newest, restyled, shown.

source ─► newest ─► session (size ─► follow ─► style, motion ─► temporal ─► composite) ─► sink

On a CPU the networks process a few frames concurrently, each on its share of the cores: that is
faster than all cores on one small frame. A frame is taken as soon as a worker is free.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import cycle
from statistics import median

import numpy as np
import torch

from vidstyle.errors import Cancelled, MediaError, Terminated
from vidstyle.live.few import Few
from vidstyle.live.pace import choose_height, timed
from vidstyle.live.session import Begun, Session, find_subjects
from vidstyle.live.sink import Sink
from vidstyle.live.source import Arrival, LiveSource
from vidstyle.media.frame import Frame
from vidstyle.options import RenderOptions, StyledObject
from vidstyle.pipeline.parts import Parts, build_parts
from vidstyle.runtime.prefetch import done_ahead, most_hands
from vidstyle.runtime.threads import threads_an_operation, threads_at_hand
from vidstyle.runtime.workers import WorkerPool
from vidstyle.segment.prompts import parse_object

#: Frames in which objects are found and from which statistics are gathered.
FIRST = 8

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LiveJob:
    """A live session to run.

    Attributes:
        source: a camera's number, a URL, a device or a file.
        objects: bottom layer first; at least one.
        height: of the pictures; None for the largest that this machine restyles in real time.
        rate: sufficient frames per second if no height is given; None for the source's rate.
        seconds: duration; None until the source ends, the window closes, or an interrupt.
    """

    source: str
    objects: Sequence[StyledObject]
    options: RenderOptions
    height: int | None = None
    rate: float | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Shown:
    """Statistics of a live session.

    Attributes:
        frames: number shown.
        dropped: number of frames that arrived but were not shown.
        before: number of frames that arrived while objects were found and speed was measured.
        seconds: duration.
        latency: seconds from a frame's arrival to its display: median and 95th percentile.
        size: (H, W) of the pictures.
    """

    frames: int
    dropped: int
    before: int
    seconds: float
    latency: tuple[float, float]
    size: tuple[int, int]

    def __str__(self) -> str:
        middle, late = (1000 * seconds for seconds in self.latency)
        return (
            f"{self.frames} frames of {self.size[1]}x{self.size[0]} in {self.seconds:.1f} s, "
            f"{self.dropped} dropped, {self.before} before it began, "
            f"latency {middle:.0f} ms (95%: {late:.0f} ms)"
        )


def live(job: LiveJob, open_sink: Callable[[tuple[int, int], Fraction], Sink]) -> Shown:
    """Restyle a source in real time. An interrupt ends it just like the end of the source.

    Args:
        open_sink: creates the sink, given the size (H, W) of the pictures and frames per second.

    Raises:
        VidstyleError: see :mod:`vidstyle.errors`.
    """
    specs = [
        None if wanted.object is None else parse_object(wanted.object) for wanted in job.objects
    ]
    # Several frames are in progress at once already, each on its own thread.
    parts = build_parts(job.options, specs, WorkerPool())
    hands = hands_of(parts.device)
    with LiveSource(job.source) as source:
        arrivals = source.arrivals()
        first = [arrival.frame for arrival, _ in zip(arrivals, range(FIRST), strict=False)]
        if not first:
            raise MediaError(f"{job.source}: sent no frames; check the source")
        session = begin(job, Few(first), float(source.rate), parts, hands)
        meter = Meter(session.size, lambda: source.dropped)
        with open_sink(session.size, source.rate) as sink:
            source.go_live()
            coming = _until(arrivals, job.seconds)
            try:
                with restyled(session, coming, hands) as made:
                    try:
                        for arrival, picture in made:
                            if not sink.show(picture, str(meter)):
                                break
                            meter.shown(time.monotonic() - arrival.at)
                    finally:
                        source.stop()  # a silent one would block whoever waits for a frame
            except Terminated:
                raise
            except Cancelled:
                log.info("live: interrupted")
        return meter.summary(source.before)


def begin(job: LiveJob, first: Few, rate: float, parts: Parts, hands: int = 1) -> Session:
    """A session at the requested height, or else the largest whose frames are restyled as fast as
    they arrive.

    Args:
        first: frames in which to find the objects.
        rate: frames per second that arrive, unless the job needs fewer.
        hands: number of frames in progress at a time.

    Raises:
        UsageError, MediaError, WeightsError, ObjectNotFoundError: an object or a style.
    """
    subjects = find_subjects(job.objects, first, parts, invert=job.options.invert)

    def session_of(height: int) -> Session:
        return Session(subjects, first, height, parts, job.options)

    def seconds(height: int) -> float:
        frames = (Arrival(frame, 0) for frame in cycle(first.frames()))
        with restyled(session_of(height), frames, hands) as made:
            return timed(lambda: next(made), hands)

    if job.height:
        return session_of(job.height)
    rate = min(rate, job.rate or rate)
    height = choose_height(seconds, rate, first.size[0] // 2 * 2)
    log.info("live: height %d, for %.3g frames a second", height, rate)
    return session_of(height)


def hands_of(device: torch.device) -> int:
    """Number of frames in progress at a time."""
    return most_hands() if device.type == "cpu" else 1


@contextmanager
def restyled(
    session: Session, arrivals: Iterable[Arrival], hands: int
) -> Iterator[Iterator[tuple[Arrival, Frame]]]:
    """Frames as they are restyled, in order, ``hands`` of them at a time. On exit, those in
    progress are finished."""

    def begun() -> Iterator[tuple[Arrival, Callable[[], Begun]]]:
        for arrival in arrivals:
            yield arrival, session.begin(arrival.frame)

    def draft(item: tuple[Arrival, Callable[[], Begun]]) -> tuple[Arrival, Begun]:
        arrival, drafted = item
        return arrival, drafted()

    with (
        threads_an_operation(max(1, threads_at_hand() // hands)),
        done_ahead(draft, begun(), hands, spare=0) as drafted,
    ):
        yield ((arrival, session.finish(made)) for arrival, made in drafted)


def _until(arrivals: Iterator[Arrival], seconds: float | None) -> Iterator[Arrival]:
    end = None if seconds is None else time.monotonic() + seconds
    for arrival in arrivals:
        if end is not None and arrival.at >= end:
            return
        yield arrival


class Meter:
    """Frame counts and latencies, and the status line that reports them."""

    def __init__(self, size: tuple[int, int], dropped: Callable[[], int]) -> None:
        """
        Args:
            size: (H, W) of the pictures.
            dropped: returns the number of frames that arrived but were not taken, so far.
        """
        self._size, self._dropped = size, dropped
        self._latencies: list[float] = []
        self._begun = time.monotonic()

    def shown(self, latency: float) -> None:
        """Record that a frame was just shown, ``latency`` seconds after its arrival."""
        self._latencies.append(latency)

    def __str__(self) -> str:
        recent = self._latencies[-25:]
        if not recent:
            return ""
        rate = len(self._latencies) / (time.monotonic() - self._begun)
        return (
            f"latency {1000 * median(recent):.0f} ms  {rate:.1f} fps  "
            f"{self._dropped()} dropped  {self._size[1]}x{self._size[0]}"
        )

    def summary(self, before: int) -> Shown:
        """Statistics over the whole session.

        Args:
            before: number of frames that arrived before it began.
        """
        latencies = self._latencies or [0.0]
        late = float(np.percentile(latencies, 95))
        return Shown(
            len(self._latencies),
            self._dropped(),
            before,
            time.monotonic() - self._begun,
            (median(latencies), late),
            self._size,
        )
