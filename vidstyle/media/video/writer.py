"""Writing clips: video files with exact timestamps, tags and audio, or image sequences."""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.packet import Packet
from av.video.stream import VideoStream

from vidstyle.errors import MediaError, UsageError
from vidstyle.media.frame import Frame
from vidstyle.media.pattern import is_sequence
from vidstyle.media.video.clip import ClipInfo, ClipWriter
from vidstyle.media.video.clock import clock_start
from vidstyle.media.video.codecs import COUNTED, Codec, codec_for
from vidstyle.media.video.companions import Companions
from vidstyle.media.video.encoder import (
    coded_size,
    configure,
    options_for,
    output_tags,
    padded,
    pixel_format,
    to_encoder,
)
from vidstyle.media.video.evenness import check_counted, even_rate
from vidstyle.media.video.losses import halved_chroma, losses
from vidstyle.media.video.metadata import chapters_within
from vidstyle.media.video.muxer import ISO_MEDIA, Belongings, belongings_of, open_muxer
from vidstyle.media.video.sequence import SequenceWriter
from vidstyle.media.video.span import WHOLE, Span
from vidstyle.media.video.target import check_target
from vidstyle.media.video.timecodes import advanced
from vidstyle.runtime.atomic import Unfinished, unwritable
from vidstyle.runtime.scheduling import scheduling_kept

__all__ = ["ClipWriter", "MovieWriter", "open_writer"]

log = logging.getLogger(__name__)

# x265 leaves the DTS uninitialised in clips of up to this many frames.
_NEVER_REORDERED = 2


def open_writer(
    target: str,
    info: ClipInfo,
    *,
    codec: str | None = None,
    source: str | None = None,
    span: Span = WHOLE,
) -> ClipWriter:
    """A writer for a video file (mp4, mov, mkv), a sequence pattern or one picture.

    Args:
        target: its suffix picks the container.
        info: of the source clip; its size, timestamps, depth and colour are kept.
        codec: a preset of :data:`~vidstyle.media.video.codecs.CODECS`; None for the default, see
            :func:`~vidstyle.media.video.codecs.choose_codec`. For pictures, one of
            :data:`vidstyle.media.oiio.COMPRESSIONS`; None for the source's own.
        source: clip whose audio, subtitles, chapters and metadata are carried over, if any.
        span: part of the source that is written; audio and the rest are trimmed to it.

    Raises:
        UsageError: the target cannot be written, is the source itself, or cannot hold the codec.
        MediaError: the source cannot be read.
    """
    check_target(target, source)
    preset = codec_for(codec, target, info)
    if preset is None:
        return SequenceWriter(target, info, codec)
    return MovieWriter(target, info, preset, source, span)


class MovieWriter(ClipWriter):
    """A video file being written, under a hidden name beside the target until it is complete.

    The first frame written starts at the time of the clip's first frame, even if only a part of the
    clip is written; its timecode is advanced to match.
    """

    def __init__(
        self,
        target: str,
        info: ClipInfo,
        codec: Codec,
        source: str | None,
        span: Span,
    ) -> None:
        """Raises MediaError when the source cannot be read or the target cannot be written."""
        self._target = Path(target)
        rate = even_rate(info)
        self._info = info = info if rate is None else replace(info, rate=rate)
        self._is_even = rate is not None
        self._kind = self._target.suffix.lower().removeprefix(".")
        self._counts = f".{self._kind}" in COUNTED
        # When the first frame comes.
        self._begin = Fraction(0)
        if not info.is_sequence and not self._counts:
            self._begin = info.start_pts * info.time_base - clock_start(info)
        self._time_base = info.time_base
        if self._counts or self._is_even:
            # Sound keeps its times, so the first frame's must fit too.
            self._time_base = _common_unit(1 / info.rate, self._begin)
        self._tags = output_tags(codec, info)
        self._coded = coded_size(codec, info)
        self._pix_fmt = pixel_format(codec, info)
        self._written = 0
        self._last_pts: int | None = None
        self._end = 0
        # Durations of frames whose packet is still in the encoder, by pts.
        self._lengths: dict[int, int] = {}
        self._first: tuple[int, int] | None = None
        self._shift = Fraction(0)
        self._span = span
        movie = source if source is not None and not is_sequence(source) else None
        self._belongings = Belongings() if movie is None else belongings_of(movie)
        self._companions: Companions | None = None
        self._refused: MediaError | None = None
        self._open = False
        try:
            self._unfinished = Unfinished(self._target, by_suffix=True)
        except OSError as error:
            raise unwritable(self._target, error) from None
        try:
            self._container = open_muxer(self._unfinished.path, info, self._belongings)
            self._open = True
            self._stream = self._add_stream(codec)
            if movie is not None:
                self._companions = Companions(movie, self._container, span)
        except BaseException:
            self.abort()
            raise
        log.info("writing %s: %s, %s", target, codec.name, self._pix_fmt)
        for loss in losses(codec, self._target.suffix.lower(), info):
            log.warning("%s: %s", target, loss)
        if codec.pads_odd and (given_up := halved_chroma(info)):
            log.info("%s: %s", target, given_up)
        if self._counts and self._belongings.chapters:
            log.warning("%s: %s has no chapters, left out", target, self._kind)
        if self._kind == "mxf" and self._belongings.metadata:
            log.warning("%s: mxf has no place for the clip's metadata, left out", target)
        if self._belongings.left_behind:
            kinds = " and ".join(self._belongings.left_behind)
            log.info("%s: the source's %s is not carried over", target, kinds)

    def write(self, frame: Frame) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`.

        Raises:
            MediaError: this frame, or one before it, could not be written to disk.
        """
        # FFmpeg crashes on packets for a container that was closed.
        if self._refused is not None:
            raise self._refused
        if frame.size != self._info.size:
            raise UsageError(f"{self._target}: frame {frame.index} has another size, {frame.size}")
        if self._last_pts is None:
            self._start(frame)
        time = self._time_of(frame) + self._shift
        pts = round(time / self._time_base)
        if self._last_pts is not None and pts <= self._last_pts:
            raise UsageError(f"{self._target}: frame {frame.index} comes after a later one")
        if self._counts:
            check_counted(str(self._target), time, self._written, self._info.rate, frame.index)
        if self._last_pts is not None:
            self._lengths[self._last_pts] = pts - self._last_pts
        self._last_pts = pts
        coded = to_encoder(padded(frame, self._coded.size), self._pix_fmt, self._tags)
        coded.pts = pts
        coded.time_base = self._time_base
        coded.duration = max(1, round(self._length(frame) / self._time_base))
        self._lengths[pts] = coded.duration
        self._end = pts + coded.duration
        self._written += 1
        with self._writing():
            self._mux(coded)

    def commit(self) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`.

        Raises:
            MediaError: no frame was written, or writing to disk failed.
        """
        if self._refused is not None:
            raise self._refused
        if self._last_pts is None:
            self.abort()
            raise MediaError(f"{self._target}: no frame to write; check the clip and --in/--out")
        with self._writing():
            self._mux(None)
            if self._companions is not None:
                self._companions.finish(self._end * self._time_base, self._shift)
            self._close()
            self._unfinished.finish()

    def abort(self) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`."""
        # Closing an mp4 or mov copies all of it, to put the index first, unless it has gone.
        self._unfinished.discard()
        try:
            self._close()
        except (av.error.FFmpegError, OSError) as error:
            log.debug("%s: closing the unfinished file: %s", self._target, error)
        finally:
            self._unfinished.discard()  # Windows deletes no open file

    def _time_of(self, frame: Frame) -> Fraction:
        """Presentation time of a frame in the source, as exactly as it is known."""
        start = self._info.start_pts * self._info.time_base
        if not self._is_even:
            return frame.time
        return start + round((frame.time - start) * self._info.rate) / self._info.rate

    def _length(self, frame: Frame) -> Fraction:
        """Duration of a frame in seconds: the average, except for the clip's last frame, which
        affects the rate that the file reports and may be held."""
        usual = 1 / self._info.rate
        if self._info.duration is None or self._info.is_sequence or self._counts:
            return usual
        start = self._info.start_pts * self._info.time_base
        left = start + self._info.duration - self._time_of(frame)
        is_last = frame.index + 1 == self._info.frame_count
        # Of a frame that may not be the last, more would be the time of those after it.
        return left if left > 0 and (is_last or left < 2 * usual) else usual

    def _add_stream(self, codec: Codec) -> VideoStream:
        stream = self._container.add_stream(
            codec.encoder, rate=self._info.rate, options=options_for(codec, self._info)
        )
        assert isinstance(stream, VideoStream)
        configure(stream.codec_context, codec, self._coded)
        # The codec context uses its own time base, mp4 and mov the stream's.
        stream.time_base = stream.codec_context.time_base = self._time_base
        stream.metadata.update(self._belongings.picture)
        if codec.tag is not None and self._target.suffix.lower() != ".mkv":
            stream.codec_context.codec_tag = codec.tag
        return stream

    def _start(self, first: Frame) -> None:
        """Set what depends on the first frame, and write the header."""
        self._shift = self._begin - self._time_of(first)
        if self._info.timecode is not None:
            timecode = advanced(self._info.timecode, self._info.rate, first.index)
            if timecode is not None and self._kind != "avi":
                self._stream.metadata["timecode"] = timecode
        self._container.set_chapters(
            chapters_within(self._belongings.chapters, self._span, self._shift)
        )
        with self._writing(), scheduling_kept():
            self._container.start_encoding()

    def _mux(self, frame: av.VideoFrame | None) -> None:
        packets = self._stream.encode(frame)
        for packet in packets:
            if self._written <= _NEVER_REORDERED:
                packet.dts = packet.pts
            self._time(packet, is_last=frame is None and packet is packets[-1])
            if self._companions is not None and packet.dts is not None:
                now = packet.dts * packet.time_base
                self._companions.advance(now, self._shift)
            self._container.mux(packet)

    def _time(self, packet: "Packet[VideoStream]", *, is_last: bool) -> None:
        """Set a packet's duration to that of its frame.

        mp4 and mov place packets by decoding time and derive the track's length from the last one
        in decoding order: it is made to end as long after the first as all frames last together.
        Where frames are uneven, reordering may take more than that; then it keeps its own.
        """
        if packet.pts is None or packet.dts is None:
            return
        length = self._lengths.pop(packet.pts, 1)
        if self._first is None:
            self._first = packet.pts, packet.dts
        if is_last and f".{self._kind}" in ISO_MEDIA:
            pts, dts = self._first
            least = length if packet.pts == self._last_pts else 1
            length = max(least, self._end - pts - (packet.dts - dts))
        packet.duration = length

    def _close(self) -> None:
        if not self._open:
            return
        self._open = False
        try:
            if self._companions is not None:
                self._companions.close()
        finally:
            self._container.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            self.abort()
            # FFmpeg's own errors are treated like the system's.
            refused = OSError(error.errno, error.strerror)
            self._refused = unwritable(self._target, refused)
            raise self._refused from None


def _common_unit(one: Fraction, other: Fraction) -> Fraction:
    """The largest number of which both are multiples."""
    unit = Fraction(1, math.lcm(one.denominator, other.denominator))
    return math.gcd(int(one / unit), int(other / unit)) * unit
