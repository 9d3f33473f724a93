"""Where live pictures go: a window, a stream, or a file."""

import os
import sys
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import av
import av.error
import cv2
import numpy as np

from vidstyle.errors import MediaError, UsageError
from vidstyle.media.frame import Frame
from vidstyle.media.pattern import is_pattern
from vidstyle.media.video.clip import ClipInfo, ClipWriter
from vidstyle.media.video.codecs import COUNTED, codec_for
from vidstyle.media.video.colour import (
    BT709,
    LIMITED,
    PICTURE_TAGS,
    ColourTags,
    tag_encoder,
    to_frame,
)
from vidstyle.media.video.target import check_free, check_target, is_picture_target
from vidstyle.media.video.writer import open_writer

#: The container format for each supported URL scheme.
_FORMATS = {"rtmp": "flv", "rtmps": "flv", "rtsp": "rtsp", "srt": "mpegts", "udp": "mpegts"}
_TAGS = ColourTags(matrix=BT709, range=LIMITED, primaries=BT709, transfer=BT709)


class Sink(Protocol):
    """Receives pictures as they are made. A context manager; a recording is complete on exit."""

    def show(self, frame: Frame, told: str) -> bool:
        """Show a picture and a status line; returns False once no more are wanted."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def check_sink(target: str | None, source: str, overwrite: bool, codec: str | None = None) -> None:
    """Reject a recording that cannot be written, before anything is loaded.

    Args:
        target, codec: see :func:`open_sink`.

    Raises:
        UsageError: see ``check_target`` and ``codec_for``; or the target exists, cannot hold
            pictures that come at uneven times, or is no file although a codec is given.
    """
    if target is None or "://" in target:
        if codec is not None:
            raise UsageError(f"--codec {codec}: only for files; name one with -o")
        return
    check_target(target, source)
    codec_for(codec, target)
    suffix = Path(target).suffix.lower()
    if suffix in COUNTED or (is_picture_target(target) and not is_pattern(target)):
        raise UsageError(
            f"-o {target}: cannot hold pictures as they come; end the name in .mp4 or .mkv, or "
            "number pictures, as in name.%04d.png"
        )
    check_free(target, overwrite)


def open_sink(
    target: str | None, size: tuple[int, int], rate: Fraction, codec: str | None = None
) -> Sink:
    """A window for None, a stream for a URL, else a recording.

    Args:
        size: (H, W) of the pictures.
        rate: the source's frames per second.
        codec: of a recording; see ``open_writer``.

    Raises:
        UsageError: no window can be opened here, or the target's name is invalid.
        MediaError: nothing receives the stream.
    """
    if target is None:
        return Window()
    if "://" in target:
        return Stream(target, size, rate)
    return Recording(target, size, rate, codec)


class Window:
    """A window on this machine's screen; q, Escape or its button closes it."""

    _NAME = "vidstyle live"

    def __init__(self) -> None:
        """Raises UsageError if there is no screen."""
        if sys.platform == "linux" and not (
            os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        ):
            raise UsageError("live: no screen to open a window on; name a file or a stream with -o")

    def show(self, frame: Frame, told: str) -> bool:
        """See :class:`Sink`."""
        picture = np.ascontiguousarray(frame.image.numpy()[..., ::-1])
        for colour, width in (((0, 0, 0), 4), ((255, 255, 255), 1)):
            cv2.putText(
                picture, told, (6, 18), cv2.FONT_HERSHEY_DUPLEX, 0.45, colour, width, cv2.LINE_AA
            )
        cv2.imshow(self._NAME, picture)
        pressed = cv2.waitKey(1) & 0xFF
        return (
            pressed not in (ord("q"), 27)
            and cv2.getWindowProperty(self._NAME, cv2.WND_PROP_VISIBLE) > 0
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        cv2.destroyAllWindows()


class Stream:
    """H.264 to a URL, encoded without looking ahead."""

    def __init__(self, url: str, size: tuple[int, int], rate: Fraction) -> None:
        scheme = url.partition("://")[0]
        if scheme not in _FORMATS:
            raise UsageError(
                f"-o {url}: cannot send to {scheme}://; use one of {', '.join(sorted(_FORMATS))}"
            )
        if size[0] % 2:
            raise UsageError(f"-o {url}: a stream needs an even height; add --height {size[0] - 1}")
        self._url = url
        try:
            self._container = av.open(url, "w", format=_FORMATS[scheme], timeout=10)
            self._stream = self._container.add_stream(
                "libx264", rate=rate, options={"preset": "veryfast", "tune": "zerolatency"}
            )
            context = self._stream.codec_context
            context.height, context.width = size
            context.pix_fmt = "yuv420p"
            context.time_base = self._stream.time_base = Fraction(1, 90_000)
            context.gop_size = round(2 * rate)
            tag_encoder(context, _TAGS)
            self._container.start_encoding()
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(
                f"{url}: nothing receives the stream ({error}); start the receiver first"
            ) from None

    def show(self, frame: Frame, told: str) -> bool:  # noqa: ARG002
        """See :class:`Sink`.

        Raises:
            MediaError: the receiver has disconnected.
        """
        coded = to_frame(frame.image, "yuv420p", _TAGS)
        coded.pts, coded.time_base = round(frame.time * 90_000), Fraction(1, 90_000)
        try:
            self._container.mux(self._stream.encode(coded))
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(f"{self._url}: the receiver closed the connection ({error})") from None
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


class Recording:
    """A video file of the pictures, timed as they arrived."""

    def __init__(
        self, target: str, size: tuple[int, int], rate: Fraction, codec: str | None
    ) -> None:
        self._target, self._is_empty = target, True
        self._writer: ClipWriter = open_writer(target, _description(size, rate), codec=codec)

    def show(self, frame: Frame, told: str) -> bool:  # noqa: ARG002
        """See :class:`Sink`."""
        self._writer.write(frame)
        self._is_empty = False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Raises MediaError if nothing came."""
        if kind is None and self._is_empty:
            self._writer.abort()
            raise MediaError(
                f"{self._target}: not written: the source ended before the first picture was "
                "ready; 'vidstyle render' restyles every frame of a file"
            )
        self._writer.__exit__(kind, error, trace)


def _description(size: tuple[int, int], rate: Fraction) -> ClipInfo:
    return ClipInfo(
        path="live",
        width=size[1],
        height=size[0],
        rate=rate,
        time_base=Fraction(1, 90_000),
        pix_fmt="rgb24",
        colour=PICTURE_TAGS,
    )
