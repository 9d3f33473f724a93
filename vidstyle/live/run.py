"""The way of a live frame: taken when it is the newest, restyled, shown.

source ─► newest ─► session (size ─► follow ─► style ─► temporal ─► composite) ─► sink
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import median

import numpy as np

from vidstyle.errors import Cancelled, MediaError, Terminated
from vidstyle.frame import Frame
from vidstyle.live.pace import choose_height, timed
from vidstyle.live.session import Session, Subject, find_subjects
from vidstyle.live.sink import open_sink
from vidstyle.live.source import Arrival, LiveSource
from vidstyle.options import RenderOptions, StyledObject
from vidstyle.parts import Parts, build_parts
from vidstyle.segment.prompts import parse_object

#: Frames in which objects are found and from which statistics are gathered.
FIRST = 8

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LiveJob:
    """What is to be shown.

    Attributes:
        source: a camera's number, a URL, a device or a file.
        target: a URL or a file; None for a window.
        objects: from the lowest layer to the topmost; at least one.
        height: of the pictures; None for the largest that this machine restyles in time.
        seconds: how long; None until the source ends, the window closes, or an interrupt.
    """

    source: str
    target: str | None
    objects: Sequence[StyledObject]
    options: RenderOptions
    height: int | None = None
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


def live(job: LiveJob) -> Shown:
    """Restyle a source as it comes. An interrupt ends it as the source's end does.

    Raises:
        VidstyleError: see :mod:`vidstyle.errors`.
    """
    specs = [
        None if wanted.object is None else parse_object(wanted.object) for wanted in job.objects
    ]
    parts = build_parts(job.options, specs)
    with LiveSource(job.source) as source:
        arrivals = source.arrivals()
        first = [arrival.frame for arrival, _ in zip(arrivals, range(FIRST), strict=False)]
        if not first:
            raise MediaError(f"{job.source}: sends no frame; check it")
        subjects = find_subjects(job.objects, first, parts, invert=job.options.invert)
        height = job.height or _height(job, subjects, first, parts, float(source.rate))
        session = Session(subjects, first, height, parts, job.options)
        meter = _Meter(source, session.size)
        with open_sink(job.target, session.size, source.rate) as sink:
            source.go_live()
            try:
                for arrival in _until(arrivals, job.seconds):
                    if not sink.show(session.step(arrival.frame), str(meter)):
                        break
                    meter.shown(arrival)
            except Terminated:
                raise
            except Cancelled:
                log.info("live: interrupted, ends here")
        return meter.summary()


def _height(
    job: LiveJob, subjects: Sequence[Subject], first: Sequence[Frame], parts: Parts, rate: float
) -> int:
    def seconds(height: int) -> float:
        session = Session(subjects, first, height, parts, job.options)
        frames = chain.from_iterable([first] * 2)
        return timed(lambda: session.step(next(frames)))

    height = choose_height(seconds, rate, first[0].size[0] // 2 * 2)
    log.info("live: height %d, for %.3g frames a second", height, rate)
    return height


def _until(arrivals: Iterator[Arrival], seconds: float | None) -> Iterator[Arrival]:
    end = None if seconds is None else time.monotonic() + seconds
    for arrival in arrivals:
        if end is not None and arrival.at >= end:
            return
        yield arrival


class _Meter:
    """Counts and times, and the line that tells them."""

    def __init__(self, source: LiveSource, size: tuple[int, int]) -> None:
        self._source, self._size = source, size
        self._latencies: list[float] = []
        self._begun = time.monotonic()

    def shown(self, arrival: Arrival) -> None:
        """A frame was shown just now."""
        self._latencies.append(time.monotonic() - arrival.at)

    def __str__(self) -> str:
        recent = self._latencies[-25:]
        if not recent:
            return ""
        rate = len(self._latencies) / (time.monotonic() - self._begun)
        return (
            f"latency {1000 * median(recent):.0f} ms  {rate:.1f} fps  "
            f"{self._source.dropped} dropped  {self._size[1]}x{self._size[0]}"
        )

    def summary(self) -> Shown:
        """Over the whole time."""
        latencies = self._latencies or [0.0]
        late = float(np.percentile(latencies, 95))
        return Shown(
            len(self._latencies),
            self._source.dropped,
            time.monotonic() - self._begun,
            (median(latencies), late),
            self._size,
        )
