"""What goes with the picture: sound and subtitles, packet by packet, a little ahead of it."""

import io
import logging
from collections.abc import Generator
from contextlib import ExitStack
from fractions import Fraction
from typing import Any, Protocol

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.stream import SubtitleStream

from vidstyle.video.audio import audio_track
from vidstyle.video.probe import open_video
from vidstyle.video.span import Span
from vidstyle.video.subtitles import subtitle_track

log = logging.getLogger(__name__)

# How far a file may lag between what belongs together, in seconds.
_LAG = 2


class Track(Protocol):
    """One stream on its way from the source into the output."""

    def takes(self, packet: "Packet[Any]") -> bool:
        """Whether something of the packet falls into the span."""
        ...

    def mux(self, packet: "Packet[Any]", shift: Fraction) -> None:
        """Write a packet, moved by ``shift`` seconds."""
        ...

    def flush(self) -> None:
        """Write what is held back."""
        ...


class Companions:
    """All sound and subtitles of a source, for an output."""

    def __init__(self, source: str, output: OutputContainer, span: Span) -> None:
        """Opens the source and adds its streams to the output; ``close`` closes it.

        Args:
            source: video file.
            output: container whose header is not yet written.
            span: what is taken.

        Raises:
            MediaError: the source cannot be read.
        """
        self._span = span
        with ExitStack() as opened:
            container = opened.enter_context(open_video(source))
            self._tracks: dict[int, Track] = {}
            for stream in container.streams:
                track = _track(stream, output, source, span)
                if track is not None:
                    self._tracks[stream.index] = track
            self._packets = self._read(container)
            self._next = next(self._packets, None)
            self._close = opened.pop_all().close

    def advance(self, until: Fraction | None, shift: Fraction) -> None:
        """Write what begins before ``until`` (output seconds; None for all that is left), moved
        by ``shift`` seconds."""
        while self._next is not None:
            time, packet = self._next
            if until is not None and time + shift >= until:
                return
            self._tracks[packet.stream.index].mux(packet, shift)
            self._next = next(self._packets, None)
        if until is None:
            for track in self._tracks.values():
                track.flush()

    def close(self) -> None:
        """Close the source."""
        self._packets.close()
        self._close()

    def _read(
        self, container: InputContainer
    ) -> Generator[tuple[Fraction, "Packet[Any]"], None, None]:
        if not self._tracks:
            return
        if self._span.start is not None:
            container.seek(max(0, int((self._span.start - _LAG) * av.time_base)))
        streams = [container.streams[index] for index in self._tracks]
        try:
            for packet in container.demux(streams):
                ticks = packet.pts if packet.pts is not None else packet.dts
                if ticks is not None and self._tracks[packet.stream.index].takes(packet):
                    yield ticks * packet.time_base, packet
        except av.error.FFmpegError as error:
            log.warning("%s: sound breaks off (%s), kept up to there", container.name, error)


def _track(stream: Stream, output: OutputContainer, source: str, span: Span) -> Track | None:
    if isinstance(stream, AudioStream) and stream.codec_context is not None:
        return audio_track(stream, output, source, span, copied=_holds(output, stream))
    if isinstance(stream, SubtitleStream) and stream.codec_context is not None:
        return subtitle_track(stream, output, source, span, copied=_holds(output, stream))
    return None


def _holds(output: OutputContainer, stream: AudioStream | SubtitleStream) -> bool:
    """Ask the muxer, by a header for this stream alone: its list of codecs promises too much."""
    with av.open(io.BytesIO(), "w", format=output.format.name) as trial:
        try:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
        except (ValueError, av.error.FFmpegError):
            return False
    return True
