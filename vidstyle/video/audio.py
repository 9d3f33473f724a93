"""Sound: copied packet by packet from the source, so that it stays bit for bit what it was."""

import io
import logging
from collections.abc import Generator
from contextlib import ExitStack
from fractions import Fraction
from typing import Protocol

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from vidstyle.video.probe import open_video

log = logging.getLogger(__name__)

# All that AAC has a code for, but 7350.
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)


class _Track(Protocol):
    def mux(self, packet: "Packet[AudioStream]", shift: Fraction) -> None: ...
    def flush(self) -> None: ...


class Soundtrack:
    """All audio streams of a source on their way into an output, a little ahead of the picture."""

    def __init__(
        self,
        source: str,
        output: OutputContainer,
        span: tuple[Fraction, Fraction] | None,
    ) -> None:
        """Opens the source and adds its streams to the output; ``close`` closes it.

        Args:
            source: video file.
            output: container whose header is not yet written.
            span: seconds of the source, half open, whose packets are taken; None for all.
        """
        self._span = span
        with ExitStack() as opened:
            container = opened.enter_context(open_video(source))
            self._tracks = {s.index: _track(s, output, source) for s in container.streams.audio}
            self._packets = self._read(container)
            self._next = next(self._packets, None)
            self._close = opened.pop_all().close

    def advance(self, until: Fraction | None, shift: Fraction) -> None:
        """Write what sounds before ``until`` (output seconds; None for all that is left), moved
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
    ) -> Generator[tuple[Fraction, "Packet[AudioStream]"], None, None]:
        if not self._tracks:
            return
        start, end = self._span or (None, None)
        if start is not None:
            container.seek(int(start * av.time_base))
        try:
            for packet in container.demux(container.streams.audio):
                ticks = packet.pts if packet.pts is not None else packet.dts
                if ticks is None:
                    continue
                time = ticks * packet.time_base
                if (start is None or time >= start) and (end is None or time < end):
                    yield time, packet
        except av.error.FFmpegError as error:
            log.warning("%s: sound breaks off (%s), kept up to there", container.name, error)


def _track(stream: AudioStream, output: OutputContainer, source: str) -> _Track:
    container = output.format.name
    if _holds(container, stream):
        return _Copied(stream, output)
    codec = stream.codec_context.name
    log.info("%s: %s cannot hold %s sound, encoded as AAC instead", source, container, codec)
    return _Encoded(stream, output)


def _holds(container: str, stream: AudioStream) -> bool:
    """Ask the muxer, by a header for this stream alone: its list of codecs promises too much."""
    with av.open(io.BytesIO(), "w", format=container) as trial:
        try:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
        except (ValueError, av.error.FFmpegError):
            return False
    return True


class _Copied:
    def __init__(self, stream: AudioStream, output: OutputContainer) -> None:
        self._output = output
        self._stream = output.add_stream_from_template(stream)
        _describe(stream, self._stream)

    def mux(self, packet: "Packet[AudioStream]", shift: Fraction) -> None:
        ticks = round(shift / packet.time_base)
        if packet.pts is not None:
            packet.pts += ticks
        if packet.dts is not None:
            packet.dts += ticks
        packet.stream = self._stream
        self._output.mux(packet)

    def flush(self) -> None:
        pass


class _Encoded:
    def __init__(self, stream: AudioStream, output: OutputContainer) -> None:
        self._output = output
        rate = stream.rate if stream.rate in _AAC_RATES else 48000
        self._stream = output.add_stream("aac", rate=rate, layout=stream.layout)
        self._stream.bit_rate = 96000 * stream.layout.nb_channels
        _describe(stream, self._stream)

    def mux(self, packet: "Packet[AudioStream]", shift: Fraction) -> None:
        try:
            frames = packet.stream.decode(packet)
        except av.error.FFmpegError as error:
            log.warning("a packet of sound is damaged, left out (%s)", error)
            return
        for frame in frames:
            if frame.pts is not None and frame.time_base is not None:
                frame.pts += round(shift / frame.time_base)
            self._output.mux(self._stream.encode(frame))

    def flush(self) -> None:
        self._output.mux(self._stream.encode(None))


def _describe(source: AudioStream, target: AudioStream) -> None:
    for key in ("language", "title"):
        if key in source.metadata:
            target.metadata[key] = source.metadata[key]
    target.disposition = source.disposition
