"""Live pictures, always the newest: those not taken in time are dropped."""

import logging
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
import torch
from av.container import InputContainer
from av.video.reformatter import VideoReformatter

from vidstyle.errors import MediaError
from vidstyle.media.frame import Frame
from vidstyle.media.video.colour import resolve, tags_of, to_rgb
from vidstyle.media.video.orientation import display_matrix, upright
from vidstyle.media.video.probe import check_progressive, open_video, video_stream

#: FFmpeg's capture device on each system, and its name for camera number N.
_CAMERAS = {
    "Linux": ("v4l2", "/dev/video{}"),
    "Darwin": ("avfoundation", "{}"),
    "Windows": ("dshow", "video={}"),
}
#: Seconds to wait for a stream to open, and for its next packet.
_PATIENCE = (10.0, 10.0)
#: Frames per second if the source reports none.
_USUAL_RATE = Fraction(25)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Arrival:
    """A frame and its time of arrival.

    Attributes:
        frame: its ``pts`` counts microseconds since the source was opened.
        at: ``time.monotonic()`` seconds.
    """

    frame: Frame
    at: float


class LiveSource:
    """A camera, a network stream, or a file played at its own speed, decoded in a thread.

    A context manager: opened on entry; on exit the thread is joined and the source closed. Until
    :meth:`go_live`, a file waits for its frames to be taken.

    Attributes:
        rate: frames per second as reported by the source; known once opened.
        before: number of frames that arrived before :meth:`go_live`.
        dropped: number of frames that arrived since but were not taken, so far.
    """

    def __init__(self, name: str) -> None:
        """
        Args:
            name: a camera's number, a URL (rtsp://, rtmp://, http://, …), a device, or a file.
        """
        self.name = name
        self.rate = _USUAL_RATE
        self.before = self.dropped = self._arrived = 0
        self._is_file = Path(name).is_file()
        self._newest: Arrival | None = None
        self._ended = False
        self._failure: MediaError | None = None
        self._change = threading.Condition()
        self._live, self._stopping = threading.Event(), threading.Event()

    def __enter__(self) -> "LiveSource":
        """Raises MediaError if the source cannot be opened."""
        self._container = open_source(self.name)
        stream = video_stream(self._container, self.name)
        self.rate = Fraction(stream.average_rate or stream.guessed_rate or _USUAL_RATE)
        self._thread = threading.Thread(target=self._decode, name="live-source", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._thread.join(1)  # with a silent source it ends by itself, at the timeout

    def stop(self) -> None:
        """Stop delivering frames, and wake anyone waiting for one."""
        with self._change:
            self._stopping.set()
            self._ended = True
            self._change.notify_all()

    def go_live(self) -> None:
        """From now on, drop frames that are not taken in time."""
        with self._change:
            self._live.set()
            self._newest = None  # it may be stale
            self.before, self.dropped = self._arrived, 0
            self._change.notify_all()

    def arrivals(self) -> Iterator[Arrival]:
        """Wait for the newest frame, each time; ends with the source.

        Raises:
            MediaError: the source broke off, or sends unusable data.
        """
        while True:
            with self._change:
                self._change.wait_for(lambda: self._newest is not None or self._ended)
                newest, self._newest = self._newest, None
                self._change.notify_all()
            if newest is not None:
                yield newest
            elif self._failure is not None:
                raise self._failure
            else:
                return

    def _decode(self) -> None:
        try:
            with closing(self._container):
                self._read()
        except MediaError as error:
            self._failure = error
        except (av.error.FFmpegError, OSError) as error:
            self._failure = MediaError(
                f"{self.name}: the stream stopped ({error}); is it still sending?"
            )
        finally:
            with self._change:
                self._ended = True
                self._change.notify_all()

    def _read(self) -> None:
        stream = video_stream(self._container, self.name)
        stream.thread_type = "SLICE"  # frame threads would hold back a frame each
        reformatter, clock, opened = VideoReformatter(), _Clock(), time.monotonic()
        for index, coded in enumerate(self._container.decode(stream)):
            check_progressive(coded, self.name)
            image = _picture(coded, reformatter)
            if self._is_file:
                self._wait(clock.due(coded.time) if self._live.is_set() else None)
            if self._stopping.is_set():
                return
            at = time.monotonic()
            frame = Frame(image, index, round((at - opened) * 1e6), Fraction(1, 10**6))
            with self._change:
                self.dropped += self._newest is not None
                self._newest, self._arrived = Arrival(frame, at), index + 1
                self._change.notify_all()

    def _wait(self, until: float | None) -> None:
        """Wait until a time; if None, until the previous frame is taken."""
        if until is not None:
            self._stopping.wait(until - time.monotonic())
            return
        with self._change:
            self._change.wait_for(lambda: self._newest is None or self._stopping.is_set())


class _Clock:
    """When the frames of a file are due, counted from the first request."""

    def __init__(self) -> None:
        self._zero: float | None = None

    def due(self, seconds: float | None) -> float:
        """Due time in ``time.monotonic()`` seconds, given a frame's own timestamp."""
        now = time.monotonic()
        if seconds is None:
            return now
        if self._zero is None:
            self._zero = now - seconds
        return self._zero + seconds


def open_source(name: str) -> InputContainer:
    """Open a camera by number, a URL, a device or a file.

    Raises:
        MediaError: it does not exist or does not respond.
    """
    with _explained(name):
        if name.isdigit():
            device, path = _CAMERAS.get(platform.system(), _CAMERAS["Linux"])
            return av.open(path.format(name), format=device, timeout=_PATIENCE)
        if "://" in name:
            options = {"rtsp_transport": "tcp"} if name.startswith("rtsp") else {}
            return av.open(name, options=options, timeout=_PATIENCE)
        if name.startswith("/dev/") and not Path(name).is_fifo():
            return av.open(name, format=_CAMERAS["Linux"][0], timeout=_PATIENCE)
    return open_video(name)


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except (av.error.FFmpegError, OSError, ValueError) as error:
        what = "camera" if name.isdigit() else "stream"
        raise MediaError(
            f"{name}: no {what} responds ({error}); check its name, or name a file"
        ) from None


def _picture(coded: av.VideoFrame, reformatter: VideoReformatter) -> torch.Tensor:
    """(H, W, 3) uint8, upright."""
    tags = resolve(tags_of(coded), (coded.height, coded.width))
    pixels = to_rgb(coded, tags, reformatter)
    if pixels.dtype != np.uint8:
        pixels = (pixels >> 8).astype(np.uint8)
    matrix = display_matrix(coded)
    return torch.from_numpy(
        np.ascontiguousarray(pixels if matrix is None else upright(pixels, matrix))
    )
