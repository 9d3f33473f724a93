"""The way of a live frame: taken when it is the newest, restyled, shown.

source ─► newest ─► session (size ─► follow ─► style, motion ─► temporal ─► composite) ─► sink

On a CPU the networks see a few frames side by side, each on its own part of the cores: that is
faster than all of them on one small frame. A frame is taken as soon as there is a hand for it.
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
from vidstyle.segment.prompts import parse_object

#: Frames in which objects are found and from which statistics are gathered.
FIRST = 8

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LiveJob:
    """What is to be shown.

    Attributes:
        source: a camera's number, a URL, a device or a file.
        objects: from the lowest layer to the topmost; at least one.
        height: of the pictures; None for the largest that this machine restyles in time.
        rate: frames a second that are enough, when no height is given; None for all that come.
        seconds: how long; None until the source ends, the window closes, or an interrupt.
    """

    source: str
    objects: Sequence[StyledObject]
    options: RenderOptions
    height: int | None = None
    rate: float | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Shown:
    """How it went.

    Attributes:
        frames: shown.
        dropped: that came and were not shown.
        seconds: it took.
        latency: seconds from a frame's coming to its being shown: median and 95th percentile.
        size: (H, W) of the pictures.
    """

    frames: int
    dropped: int
    seconds: float
    latency: tuple[float, float]
    size: tuple[int, int]

    def __str__(self) -> str:
        middle, late = (1000 * seconds for seconds in self.latency)
        return (
            f"{self.frames} frames of {self.size[1]}x{self.size[0]} in {self.seconds:.1f} s, "
            f"{self.dropped} dropped, latency {middle:.0f} ms (95%: {late:.0f} ms)"
        )


def live(job: LiveJob, open_sink: Callable[[tuple[int, int], Fraction], Sink]) -> Shown:
    """Restyle a source as it comes. An interrupt ends it as the source's end does.

    Args:
        open_sink: makes the sink, from the size (H, W) of the pictures and frames a second.

    Raises:
        VidstyleError: see :mod:`vidstyle.errors`.
    """
    specs = [
        None if wanted.object is None else parse_object(wanted.object) for wanted in job.objects
    ]
    parts = build_parts(job.options, specs)
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
                        source.stop()  # a silent one would keep who waits for its next frame
            except Terminated:
                raise
            except Cancelled:
                log.info("live: interrupted")
        return meter.summary()


def begin(job: LiveJob, first: Few, rate: float, parts: Parts, hands: int = 1) -> Session:
    """A session of the height that is wanted, or else the largest whose frames are restyled as
    fast as they come.

    Args:
        first: frames, in which the objects are found.
        rate: frames a second to come, unless the job needs fewer.
        hands: how many frames are to be in progress at a time.

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
    """How many frames are in progress at a time."""
    return most_hands() if device.type == "cpu" else 1


@contextmanager
def restyled(
    session: Session, arrivals: Iterable[Arrival], hands: int
) -> Iterator[Iterator[tuple[Arrival, Frame]]]:
    """Frames as they are restyled, in order, as many at a time as there are hands. On leaving,
    those in the making are finished."""

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
    """Counts and times, and the line that reports them."""

    def __init__(self, size: tuple[int, int], dropped: Callable[[], int]) -> None:
        """
        Args:
            size: (H, W) of the pictures.
            dropped: says how many frames came and were not taken, so far.
        """
        self._size, self._dropped = size, dropped
        self._latencies: list[float] = []
        self._begun = time.monotonic()

    def shown(self, latency: float) -> None:
        """A frame was shown just now, so many seconds after it came."""
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

    def summary(self) -> Shown:
        """Over the whole time."""
        latencies = self._latencies or [0.0]
        late = float(np.percentile(latencies, 95))
        return Shown(
            len(self._latencies),
            self._dropped(),
            time.monotonic() - self._begun,
            (median(latencies), late),
            self._size,
        )
