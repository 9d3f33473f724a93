"""What accompanies the picture: audio and subtitles, packet by packet, slightly ahead of it."""

import io
import logging
from collections.abc import Generator
from contextlib import ExitStack, closing
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.stream import SubtitleStream

from vidstyle.errors import UsageError
from vidstyle.media.video.audio import (
    CopiedAudio,
    EncodedAudio,
    Ordered,
    is_copied,
    is_decodable,
    tell_encoding,
)
from vidstyle.media.video.probe import open_video
from vidstyle.media.video.span import WHOLE, Span
from vidstyle.media.video.subtitles import subtitle_track

log = logging.getLogger(__name__)

# FFmpeg's names of containers.
_FORMATS = {
    ".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".avi": "avi", ".mxf": "mxf",
}  # fmt: skip

# Packets per trial.
_TRIED = 8

# Sound after the picture, in seconds, that is more than the rest of a packet.
_NOTABLE = 0.1

# How far apart in a file packets of the same time may lie, in seconds.
_LAG = 2


class Track(Protocol):
    """One stream on its way from the source into the output."""

    def takes(self, packet: "Packet[Any]") -> bool:
        """Whether any part of the packet lies within the span."""
        ...

    def mux(self, packet: "Packet[Any]", shift: Fraction) -> None:
        """Write a packet, shifted by ``shift`` seconds."""
        ...

    def flush(self) -> None:
        """Write what is still buffered."""
        ...


class Companions:
    """All audio and subtitles of a source, for an output."""

    def __init__(self, source: str, output: OutputContainer, span: Span) -> None:
        """Opens the source and adds its streams to the output; ``close`` closes it.

        Args:
            source: video file.
            output: container whose header is not yet written.
            span: the part to take.

        Raises:
            MediaError: the source cannot be read.
            UsageError: the container cannot hold some audio in any form.
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

    def advance(self, until: Fraction, shift: Fraction) -> None:
        """Write packets that begin before ``until`` (output seconds), shifted by ``shift``
        seconds."""
        while self._next is not None and self._next[0] + shift < until:
            self._write(self._next[1], shift)
        # Whatever began before that has been read by now.
        self._fill(until - 2 * _LAG)

    def finish(self, end: Fraction, shift: Fraction) -> None:
        """Write all packets that are left, shifted by ``shift`` seconds.

        Args:
            end: of the picture, in output seconds.
        """
        while self._next is not None:
            self._write(self._next[1], shift)
        self._fill(end)
        encoded = [track for track in self._tracks.values() if isinstance(track, EncodedAudio)]
        beyond = max((track.beyond(end) for track in encoded), default=Fraction(0))
        if beyond > _NOTABLE:
            log.warning(
                "the sound goes on for %.1f s after the picture, with which MXF ends", float(beyond)
            )
        for track in self._tracks.values():
            track.flush()

    def _write(self, packet: "Packet[Any]", shift: Fraction) -> None:
        self._tracks[packet.stream.index].mux(packet, shift)
        self._next = next(self._packets, None)

    def _fill(self, until: Fraction) -> None:
        for track in self._tracks.values():
            if isinstance(track, EncodedAudio):
                track.fill(until)

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
        ordered = {s.index: Ordered(s) for s in streams if isinstance(s, AudioStream)}
        try:
            for packet in container.demux(streams):
                if not packet.size:  # muxers take it for the end of the stream
                    continue
                if packet.stream.index in ordered:
                    ordered[packet.stream.index].put(packet)
                ticks = packet.pts if packet.pts is not None else packet.dts
                if ticks is not None and self._tracks[packet.stream.index].takes(packet):
                    yield ticks * packet.time_base, packet
        except av.error.FFmpegError as error:
            log.warning("%s: sound ends early (%s); kept up to there", container.name, error)


def check_sound(source: str, target: str) -> None:
    """Check that an output can hold all audio of a video, so that no render fails at the end.

    Raises:
        UsageError: some does not fit.
        MediaError: the source cannot be read.
    """
    container = _FORMATS[Path(target).suffix.lower()]
    with open_video(source) as opened:
        for stream in opened.streams.audio:
            if is_decodable(stream):
                _way_of(stream, container, source)


def _track(stream: Stream, output: OutputContainer, source: str, span: Span) -> Track | None:
    container = output.format.name
    if isinstance(stream, AudioStream) and is_decodable(stream):
        make = _way_of(stream, container, source)
        if make is not CopiedAudio:
            tell_encoding(stream, container, source)
        return make(stream, output, span)
    if isinstance(stream, SubtitleStream) and stream.codec_context is not None:
        return subtitle_track(stream, output, source, span, copied=_holds(output, stream))
    if stream.type in ("audio", "subtitle"):
        log.warning(
            "%s: its %s stream %d is empty or has no decoder, left out",
            *(source, stream.type, stream.index),
        )
    return None


def _way_of(
    stream: AudioStream, container: str, source: str
) -> type[CopiedAudio] | type[EncodedAudio]:
    """How audio goes into a container: copied, or else re-encoded.

    Raises:
        UsageError: neither works.
    """
    if container == "mxf":  # holds any PCM, but nothing without a picture, as in a trial
        return EncodedAudio
    if is_copied(stream, container) and _goes(source, stream.index, container, CopiedAudio):
        return CopiedAudio
    if _goes(source, stream.index, container, EncodedAudio):
        return EncodedAudio
    raise UsageError(
        f"{source}: its {stream.codec_context.name} sound of {stream.layout.nb_channels} channels "
        f"does not go into {container}; write .mkv or .mov, or convert it first"
    )


def _goes(
    source: str,
    index: int,
    container: str,
    make: type[CopiedAudio] | type[EncodedAudio],
) -> bool:
    """Ask the muxer, with a file of the stream's first packets: its list of codecs promises too
    much, and some of its errors only come at the end."""
    try:
        # Closing writes the end of the file, which may fail as well.
        with open_video(source) as opened, closing(_empty(container)) as trial:
            stream = opened.streams[index]
            assert isinstance(stream, AudioStream)
            track = make(stream, trial, WHOLE)
            trial.start_encoding()
            # Sound that starts hours after zero would make hours of silence.
            shift = -(stream.start_time or 0) * (stream.time_base or Fraction(0))
            for packet in islice(opened.demux(stream), _TRIED):
                if packet.size:
                    track.mux(packet, shift)
            track.flush()
    except (ValueError, av.error.FFmpegError):
        return False
    return True


def _empty(container: str) -> OutputContainer:
    return av.open(io.BytesIO(), "w", format=container)


def _holds(output: OutputContainer, stream: SubtitleStream) -> bool:
    """Ask the muxer, with a header for this stream alone: its list of codecs promises too much."""
    with av.open(io.BytesIO(), "w", format=output.format.name) as trial:
        try:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
        except (ValueError, av.error.FFmpegError):
            return False
    return True
