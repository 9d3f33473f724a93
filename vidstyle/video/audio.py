"""Sound: copied packet by packet, so that it stays bit for bit what it was; encoded again only
where the container cannot hold it."""

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

from vidstyle.video.metadata import describe
from vidstyle.video.span import Span

log = logging.getLogger(__name__)

_Encoder = Literal["aac", "pcm_s16le"]

# All that AAC has a code for, but 7350.
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)


def audio_track(
    stream: AudioStream, output: OutputContainer, source: str, span: Span, copied: bool
) -> "CopiedAudio | EncodedAudio":
    """Sound on its way into ``output``.

    Args:
        source: the name to tell.
        copied: whether the container can hold packets of the stream.
    """
    # Avi starts all sound with the picture, so it is cut at samples, not at packets.
    if copied and output.format.name != "avi":
        return CopiedAudio(stream, output, span)
    codec: _Encoder = "pcm_s16le" if output.format.name == "avi" else "aac"
    log.info(
        "%s: %s cannot hold %s sound as it is, encoded as %s instead",
        source,
        output.format.name,
        stream.codec_context.name,
        "AAC" if codec == "aac" else "PCM",
    )
    return EncodedAudio(stream, output, span, codec)


class CopiedAudio:
    """Packets as they are.

    In mp4 and mov an edit list hides what of the first packets lies before the span, so a cut is
    exact to the sample; elsewhere the first whole packet in the span is the first.
    """

    def __init__(self, stream: AudioStream, output: OutputContainer, span: Span) -> None:
        self._output = output
        self._stream = output.add_stream_from_template(stream)
        self._span = span
        self._hides = output.format.name in ("mp4", "mov")
        describe(stream, self._stream)

    def takes(self, packet: "Packet[Any]") -> bool:
        time, duration = _times(packet)
        if self._hides:
            # A packet more: most codecs need the one before to decode the first.
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
    """Decoded and encoded again, cut at the span's first and last sample."""

    def __init__(
        self, stream: AudioStream, output: OutputContainer, span: Span, codec: _Encoder
    ) -> None:
        self._output = output
        self._span = span
        aac = codec == "aac"
        rate = stream.rate if not aac or stream.rate in _AAC_RATES else 48000
        self._stream = output.add_stream(codec, rate=rate, layout=stream.layout)
        if aac:
            self._stream.bit_rate = 96000 * stream.layout.nb_channels
        self._starts_with_picture = output.format.name == "avi"
        self._begun = False
        describe(stream, self._stream)

    def takes(self, packet: "Packet[Any]") -> bool:
        time, duration = _times(packet)
        return self._span.meets(time, time + 2 * duration)

    def mux(self, packet: "Packet[Any]", shift: Fraction) -> None:
        try:
            frames = packet.stream.decode(packet)
        except av.error.FFmpegError as error:
            log.warning("a packet of sound is damaged, left out (%s)", error)
            return
        # Sound before the picture, where that cannot be.
        start = -shift if self._starts_with_picture else self._span.start
        for frame in frames:
            cut = _cut(frame, Span(start, self._span.end))
            if cut is None:
                continue
            if self._starts_with_picture and not self._begun:
                cut = _padded(cut, -shift)
            self._begun = True
            if cut.pts is not None and cut.time_base is not None:
                cut.pts += round(shift / cut.time_base)
            self._output.mux(self._stream.encode(cut))

    def flush(self) -> None:
        self._output.mux(self._stream.encode(None))


def _times(packet: "Packet[Any]") -> tuple[Fraction, Fraction]:
    """When a packet begins and how long it is, in seconds."""
    ticks = packet.pts if packet.pts is not None else packet.dts
    return (ticks or 0) * packet.time_base, (packet.duration or 0) * packet.time_base


def _cut(frame: AudioFrame, span: Span) -> AudioFrame | None:
    """What of a decoded frame lies in the span; None for nothing."""
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


def _padded(frame: AudioFrame, start: Fraction) -> AudioFrame:
    """The frame with silence before it, so that it begins at ``start`` seconds."""
    if frame.pts is None or frame.time_base is None:
        return frame
    gap = round((frame.pts * frame.time_base - start) * frame.sample_rate)
    if gap <= 0:
        return frame
    samples = frame.to_ndarray()
    width = gap * (1 if frame.format.is_planar else frame.layout.nb_channels)
    silence = np.zeros((samples.shape[0], width), samples.dtype)
    pts = frame.pts - round(gap / (frame.sample_rate * frame.time_base))
    return _like(frame, np.concatenate([silence, samples], axis=1), pts)


def _like(frame: AudioFrame, samples: NDArray[Any], pts: int) -> AudioFrame:
    new = AudioFrame.from_ndarray(
        np.ascontiguousarray(samples), format=frame.format.name, layout=frame.layout.name
    )
    new.sample_rate, new.time_base, new.pts = frame.sample_rate, frame.time_base, pts
    return new
