"""Subtitles: copied if the container holds their codec, else converted from text to text."""

import logging
from fractions import Fraction
from typing import Any, Literal

from av.container import OutputContainer
from av.packet import Packet
from av.subtitles.stream import SubtitleStream

from vidstyle.media.video.metadata import describe
from vidstyle.media.video.span import Span

log = logging.getLogger(__name__)

_TEXT: dict[str, Literal["mov_text", "subrip"]] = {
    "mp4": "mov_text",
    "mov": "mov_text",
    "matroska": "subrip",
}
_MILLISECOND = Fraction(1, 1000)


def subtitle_track(
    stream: SubtitleStream, output: OutputContainer, source: str, span: Span, copied: bool
) -> "CopiedSubtitles | ConvertedSubtitles | None":
    """A track of subtitles into ``output``; None, with a warning, if it cannot hold them.

    Args:
        source: the name for messages.
        copied: whether the container can hold packets of the stream.
    """
    if copied:
        return CopiedSubtitles(stream, output, span)
    container, codec = output.format.name, stream.codec_context.name
    text = _TEXT.get(container)
    if text is None or not stream.codec_context.codec.text_sub:
        log.warning("%s: %s cannot hold %s subtitles, left out", source, container, codec)
        return None
    log.info("%s: %s subtitles become %s in %s", source, codec, text, container)
    return ConvertedSubtitles(stream, output, span, text)


class _Subtitles:
    """Common to both: which titles are taken, and when they show."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def takes(self, packet: "Packet[Any]") -> bool:
        """Includes titles already showing when the span begins, but not the empty packets in mov
        gaps."""
        start, end = _times(packet)
        return packet.size > 0 and self._span.meets(start, end)

    def _shown(self, packet: "Packet[Any]", shift: Fraction) -> tuple[int, int]:
        """Start and duration of a title within the span, in output time and the packet's ticks."""
        start, end = _times(packet)
        if self._span.start is not None:
            start = max(start, self._span.start)
        if self._span.end is not None:
            end = min(end, self._span.end)
        return round((start + shift) / packet.time_base), round((end - start) / packet.time_base)

    def flush(self) -> None:
        """Nothing is held back."""


class CopiedSubtitles(_Subtitles):
    """Copies packets as they are."""

    def __init__(self, stream: SubtitleStream, output: OutputContainer, span: Span) -> None:
        super().__init__(span)
        self._output = output
        self._stream = output.add_stream_from_template(stream)
        describe(stream, self._stream)

    def mux(self, packet: "Packet[Any]", shift: Fraction) -> None:
        """See ``companions.Track``."""
        packet.pts, packet.duration = self._shown(packet, shift)
        packet.dts = packet.pts
        packet.stream = self._stream
        self._output.mux(packet)


class ConvertedSubtitles(_Subtitles):
    """Re-encodes text; styling is kept as far as both formats support it."""

    def __init__(
        self,
        stream: SubtitleStream,
        output: OutputContainer,
        span: Span,
        codec: Literal["mov_text", "subrip"],
    ) -> None:
        super().__init__(span)
        self._output = output
        self._decoder = stream.codec_context
        # The header, which the encoder needs, is available once the decoder is open.
        self._decoder.open(strict=False)
        self._stream = output.add_stream(codec)
        self._stream.time_base = self._stream.codec_context.time_base = _MILLISECOND
        self._stream.codec_context.subtitle_header = self._decoder.subtitle_header
        describe(stream, self._stream)

    def mux(self, packet: "Packet[Any]", shift: Fraction) -> None:
        """See ``companions.Track``."""
        titles = self._decoder.decode2(packet)
        if titles is None or len(titles) == 0:
            return
        coded = self._stream.codec_context.encode_subtitle(titles)
        coded.stream = self._stream
        coded.time_base = packet.time_base
        coded.pts, coded.duration = self._shown(packet, shift)
        coded.dts = coded.pts
        self._output.mux(coded)


def _times(packet: "Packet[Any]") -> tuple[Fraction, Fraction]:
    """When a title begins and ends to show, in seconds."""
    ticks = packet.pts if packet.pts is not None else packet.dts
    start = (ticks or 0) * packet.time_base
    return start, start + (packet.duration or 0) * packet.time_base
