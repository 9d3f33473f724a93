"""Audio: copied packet by packet, bit for bit; re-encoded only if the container cannot hold it."""

import logging
import math
from fractions import Fraction
from typing import Any, Literal

import av
import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from numpy.typing import NDArray

from vidstyle.media.video.metadata import describe
from vidstyle.media.video.span import Span

log = logging.getLogger(__name__)

_Encoder = Literal["aac", "alac", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"]

# All that AAC has a code for, except 7350.
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)

# Players before FFmpeg 6 read all PCM in mp4 as 16 bits: deeper sound is noise to them.
_PLAIN_IN_MP4 = ("pcm_s16le", "pcm_s16be")

_DEEP_PCM: dict[str, _Encoder] = {
    "pcm_s24le": "pcm_s24le", "pcm_s24be": "pcm_s24le", "pcm_s32le": "pcm_s32le",
    "pcm_s32be": "pcm_s32le", "pcm_f32le": "pcm_f32le", "pcm_f32be": "pcm_f32le",
}  # fmt: skip

# FFmpeg's names of containers in which audio has no start of its own.
_START_TOGETHER = ("avi", "mxf")
_MXF_RATE = 48000  # the only one of SMPTE ST 382

# Seconds without sound that are filled up there: more than timestamps are off by.
_GAP = Fraction(20, 1000)

# FFmpeg's usual layout by number of channels.
_USUAL_LAYOUTS = {
    1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1",
}  # fmt: skip


def is_decodable(stream: AudioStream) -> bool:
    """Whether there is a decoder, and sound for it: recordings may declare a stream that is
    empty."""
    context = stream.codec_context
    return context is not None and context.rate > 0 and context.layout.nb_channels > 0


def is_copied(stream: AudioStream, container: str) -> bool:
    """Whether to try copying packets into a container (FFmpeg's name of it)."""
    # AVI and MXF start all audio with the picture, so it is cut at samples, not at packets.
    codec = stream.codec_context.name
    misread = container == "mp4" and codec.startswith("pcm_") and codec not in _PLAIN_IN_MP4
    return container not in _START_TOGETHER and not misread


def encoder_for(stream: AudioStream, container: str) -> _Encoder:
    """Encoder for audio that cannot be copied: lossless for integer PCM."""
    codec = stream.codec_context.name
    if container == "avi":
        return _DEEP_PCM.get(codec, "pcm_s16le")
    if container == "mxf":
        return "pcm_s16le" if stream.format.bytes <= 2 and codec.startswith("pcm_") else "pcm_s24le"
    return "alac" if codec.startswith("pcm_") and container == "mp4" else "aac"


def tell_encoding(stream: AudioStream, container: str, source: str) -> None:
    """Log that audio is re-encoded; as a warning if it is not PCM. PCM as other PCM stays the
    same sound."""
    codec, encoder = stream.codec_context.name, encoder_for(stream, container)
    if codec.startswith("pcm_") and encoder.startswith("pcm_"):
        log.info("%s: its %s sound goes into %s as %s", source, codec, container, encoder)
        return
    level = logging.INFO if codec.startswith("pcm_") else logging.WARNING
    name = "PCM" if encoder.startswith("pcm_") else encoder.upper()
    log.log(
        level,
        "%s: %s cannot hold %s sound as it is, encoded as %s instead",
        source, container, codec, name,
    )  # fmt: skip


def told_layout(stream: AudioStream) -> str:
    """FFmpeg's name of a stream's channels: the usual one if it states only their number, which no
    encoder and not every muxer accepts."""
    layout = stream.layout
    if all(channel.name != "NONE" for channel in layout.channels):
        return layout.name
    return _USUAL_LAYOUTS.get(layout.nb_channels, layout.name)


class Ordered:
    """Delays the packets of a stream whose timestamps run backwards, as in damaged files and in
    recordings joined byte by byte, since no container accepts them."""

    def __init__(self, stream: AudioStream) -> None:
        self._source = stream.container.name
        self._last: int | None = None
        self._length = 1
        self._told = False

    def put(self, packet: "Packet[Any]") -> None:
        """Delay a packet to the end of the previous one, if it would not start after the start of
        that; packets of a healthy file are left alone. The first delay is logged."""
        ticks = packet.dts if packet.dts is not None else packet.pts
        if ticks is None:
            return
        late = 0
        if self._last is not None and ticks <= self._last:
            late = self._last + self._length - ticks
        self._last, self._length = ticks + late, max(1, packet.duration or 0)
        if not late:
            return
        if not self._told:
            log.warning("%s: audio timestamps run backwards; put in order", self._source)
            self._told = True
        if packet.pts is not None:
            packet.pts += late
        if packet.dts is not None:
            packet.dts += late


class CopiedAudio:
    """Copies packets as they are.

    In mp4 and mov an edit list hides the part of the first packets before the span, so cuts are
    sample-accurate; elsewhere audio starts with the first whole packet in the span.
    """

    def __init__(self, stream: AudioStream, output: OutputContainer, span: Span) -> None:
        self._output = output
        self._stream = output.add_stream_from_template(stream)
        if self._stream.layout.name != told_layout(stream):
            self._stream.codec_context.layout = told_layout(stream)
        self._span = span
        self._hides = output.format.name in ("mp4", "mov")
        describe(stream, self._stream)

    def takes(self, packet: "Packet[Any]") -> bool:
        time, duration = _times(packet)
        if self._hides:
            # One packet extra: most codecs need the previous one to decode the first.
            return self._span.meets(time, time + 2 * duration)
        early = self._span.start is not None and time < self._span.start
        return not early and self._span.meets(time, time + duration)

    def mux(self, packet: "Packet[Any]", shift: Fraction) -> None:
        ticks = round(shift / packet.time_base)
        if packet.pts is not None:
            packet.pts += ticks
        if packet.dts is not None:
            packet.dts += ticks
        packet.stream = self._stream
        self._output.mux(packet)

    def flush(self) -> None:
        pass


class EncodedAudio:
    """Re-encodes by :func:`encoder_for`, cut at the span's first and last sample."""

    def __init__(self, stream: AudioStream, output: OutputContainer, span: Span) -> None:
        # FFmpeg may have probed the stream by another decoder, which gives another format.
        stream.codec_context.open(strict=False)
        codec = encoder_for(stream, output.format.name)
        self._output = output
        self._span = span
        self._layout = told_layout(stream)
        rate = stream.rate if codec != "aac" or stream.rate in _AAC_RATES else 48000
        if output.format.name == "mxf":
            rate = _MXF_RATE
        self._stream = output.add_stream(codec, rate=rate, layout=self._layout)
        if codec == "aac":
            self._stream.bit_rate = 96000 * stream.layout.nb_channels
        if codec == "alac":
            shallow = stream.format.bytes <= 2
            self._stream.format = av.AudioFormat("s16p" if shallow else "s32p")
        self._starts_with_picture = output.format.name in _START_TOGETHER
        # MXF ends with its shortest stream.
        self._throughout = output.format.name == "mxf"
        self._decoded = stream.format.name, stream.rate
        self._samples = 0
        self._is_silent = True
        describe(stream, self._stream)

    def takes(self, packet: "Packet[Any]") -> bool:
        time, duration = _times(packet)
        return self._span.meets(time, time + 2 * duration)

    def mux(self, packet: "Packet[Any]", shift: Fraction) -> None:
        try:
            frames = packet.stream.decode(packet)
        except av.error.FFmpegError as error:
            log.warning("a damaged audio packet is left out (%s)", error)
            return
        # Cuts audio before the picture, if the container cannot hold it.
        start = -shift if self._starts_with_picture else self._span.start
        for frame in frames:
            if frame.layout.name != self._layout:
                frame = _like(frame, frame.to_ndarray(), frame.pts, self._layout)
            cut = _cut(frame, Span(start, self._span.end))
            if cut is None:
                continue
            if cut.pts is not None and cut.time_base is not None:
                if self._starts_with_picture:
                    due = round((cut.pts * cut.time_base + shift) * cut.sample_rate)
                    if self._is_silent or due - self._samples > _GAP * cut.sample_rate:
                        self._silence(due)
                    # Counted like the silence, since PyAV converts all frames as the first.
                    cut.pts, cut.time_base = self._samples, Fraction(1, cut.sample_rate)
                else:
                    cut.pts += round(shift / cut.time_base)
            self._is_silent = False
            self._samples += cut.samples
            self._output.mux(self._stream.encode(cut))

    def fill(self, until: Fraction) -> None:
        """Write silence up to ``until`` (output seconds), where the audio ended before that and the
        container needs it throughout."""
        if self._throughout:
            self._silence(math.ceil(until * self._decoded[1]))

    def beyond(self, end: Fraction) -> Fraction:
        """How much audio, in seconds, lies after ``end`` (output seconds), where the container
        leaves it out."""
        return Fraction(self._samples, self._decoded[1]) - end if self._throughout else Fraction(0)

    def _silence(self, stop: int) -> None:
        """Write silence up to a sample."""
        lacking = stop - self._samples
        if lacking <= 0:
            return
        kind, rate = self._decoded
        silence = AudioFrame(format=kind, layout=self._layout, samples=lacking)
        for plane in silence.planes:
            plane.update(bytes(plane.buffer_size))
        silence.sample_rate, silence.time_base = rate, Fraction(1, rate)
        silence.pts = self._samples
        self._is_silent = True
        self._samples += lacking
        self._output.mux(self._stream.encode(silence))

    def flush(self) -> None:
        self._output.mux(self._stream.encode(None))


def _times(packet: "Packet[Any]") -> tuple[Fraction, Fraction]:
    """Start and duration of a packet, in seconds."""
    ticks = packet.pts if packet.pts is not None else packet.dts
    return (ticks or 0) * packet.time_base, (packet.duration or 0) * packet.time_base


def _cut(frame: AudioFrame, span: Span) -> AudioFrame | None:
    """The part of a decoded frame within the span; None if there is none."""
    if frame.pts is None or frame.time_base is None:
        return frame
    time, rate = frame.pts * frame.time_base, frame.sample_rate
    first, stop = 0, frame.samples
    if span.start is not None:
        first = max(first, math.ceil((span.start - time) * rate))
    if span.end is not None:
        stop = min(stop, math.ceil((span.end - time) * rate))
    if first >= stop:
        return None
    if (first, stop) == (0, frame.samples):
        return frame
    step = 1 if frame.format.is_planar else frame.layout.nb_channels
    samples = frame.to_ndarray()[:, first * step : stop * step]
    return _like(frame, samples, frame.pts + round(first / (rate * frame.time_base)))


def _like(
    frame: AudioFrame, samples: NDArray[Any], pts: int | None, layout: str | None = None
) -> AudioFrame:
    new = AudioFrame.from_ndarray(
        np.ascontiguousarray(samples),
        format=frame.format.name,
        layout=layout or frame.layout.name,
    )
    new.sample_rate, new.time_base, new.pts = frame.sample_rate, frame.time_base, pts
    return new
