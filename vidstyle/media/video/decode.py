"""Decoding with exact frame numbers and timestamps, whole or from a keyframe, even if damaged."""

import heapq
import logging
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from vidstyle.media.video.clip import ClipInfo, Damage
from vidstyle.media.video.cut_off import missing_bytes
from vidstyle.media.video.probe import decoder_of, open_video, promised_end, video_stream

log = logging.getLogger(__name__)

# Codecs in which every packet yields exactly one frame, so that counting packets counts frames. VP8
# and MPEG-4 Part 2, for example, have packets that yield none.
_ONE_FRAME_A_PACKET = {
    *("av1", "dnxhd", "ffv1", "h264", "hevc", "libdav1d", "mjpeg", "png", "prores", "vp9"),
}


@dataclass(frozen=True)
class Picture:
    """A decoded picture as stored in the file, with its number in the clip and its timestamp."""

    coded: av.VideoFrame
    index: int
    pts: int


class PacketIndex:
    """Timestamps of all packets, so that decoding can start at a keyframe and still count frames.

    Attributes:
        pts: of each frame, ascending.
        keys: pts of each keyframe, ascending.
    """

    def __init__(self, pts: list[int], keys: list[int]) -> None:
        self.pts = pts
        self.keys = keys

    @classmethod
    def build(cls, info: ClipInfo) -> "PacketIndex | None":
        """Read all packets without decoding. None if they do not tell where the frames are, as in
        recordings joined byte by byte, whose timestamps start again."""
        if info.codec not in _ONE_FRAME_A_PACKET:
            return None
        pts: list[int] = []
        keys: list[int] = []
        order = _Order()
        with open_video(info.path) as container:
            for packet in _packets(container, video_stream(container, info.path)):
                if packet is None or packet.size == 0 or packet.is_discard:
                    continue
                if packet.pts is None or order.restarts(packet):
                    return None
                if packet.pts >= info.start_pts:
                    pts.append(packet.pts)
                    if packet.is_keyframe:
                        keys.append(packet.pts)
        if len(set(pts)) < len(pts):
            return None
        return cls(sorted(pts), sorted(keys))

    def key_before(self, index: int) -> int | None:
        """The pts of the keyframe to decode frame ``index`` from; None for the first one."""
        after = bisect_right(self.keys, self.pts[min(index, len(self.pts) - 1)])
        return self.keys[after - 1] if after > 1 else None

    def forget(self, key: int) -> None:
        """Decoding cannot start at this keyframe after all."""
        self.keys = [each for each in self.keys if each != key]

    def number(self, pts: int) -> int | None:
        """The index of the frame at ``pts``; None if no frame has that timestamp."""
        index = bisect_left(self.pts, pts)
        return index if index < len(self.pts) and self.pts[index] == pts else None


def decode(
    info: ClipInfo,
    start: int,
    index: PacketIndex | None,
    report: Callable[[Damage], None] = lambda _: None,
) -> Generator[Picture, None, None]:
    """Pictures from ``start`` or earlier: from the keyframe before it if ``index`` allows.

    Args:
        report: called once, at the end, with the damage found.
    """
    while index is not None and start > 0 and (key := index.key_before(start)) is not None:
        with open_video(info.path) as container:
            stream = video_stream(container, info.path)
            container.seek(key, stream=stream)
            decoder = _Decoder(info, container, stream)
            pictures = decoder.pictures()
            first = next(pictures, None)
            # Streams without true keyframes (intra refresh) yield their first intact frame later,
            # or one that lacks its references; and some demuxers seek inaccurately. So the first
            # frame must be intact, in the index, and early enough.
            whole = first is not None and not first.coded.is_corrupt
            base = index.number(first.pts) if first is not None and whole else None
            if first is not None and base is not None and base <= start:
                # Pictures before the keyframe that reference earlier ones do not count as damage.
                decoder.errors = 0
                with decoder.reporting(report):
                    yield Picture(first.coded, base, first.pts)
                    for picture in pictures:
                        yield Picture(picture.coded, base + picture.index, picture.pts)
                return
        log.debug("%s: cannot start at the keyframe before frame %d", info.path, start)
        index.forget(key)
    with open_video(info.path) as container:
        decoder = _Decoder(info, container, video_stream(container, info.path))
        with decoder.reporting(report):
            yield from decoder.pictures()


class _Order:
    """Tells where decoding times run backwards, which they never do within one recording."""

    def __init__(self) -> None:
        self._last: int | None = None

    def restarts(self, packet: "Packet[VideoStream]") -> bool:
        """Whether a packet, taken in the file's order, comes before the one taken before it."""
        if packet.dts is None:
            return False
        last, self._last = self._last, packet.dts
        return last is not None and packet.dts < last


class _Decoder:
    """One pass through an opened file, counting damage."""

    def __init__(self, info: ClipInfo, container: InputContainer, stream: VideoStream) -> None:
        self._info = info
        self._container = container
        self._stream = stream
        self._decoder = decoder_of(stream)
        self._counts_packets = info.codec in _ONE_FRAME_A_PACKET
        # AVI has no timestamps: those that FFmpeg makes up for packets increase, which is wrong
        # where frames are reordered.
        self._goes_by_order = self._counts_packets and container.format.name == "avi"
        # By part of a file whose timestamps start again, and by pts.
        self._awaited: list[tuple[int, int]] = []
        self._order = _Order()
        self._part = 0
        self.errors = 0
        self._lost = 0
        self._concealed = 0
        self._retimed = 0
        self._discarded = 0
        self._short = Fraction(0)
        self._missing = 0

    def pictures(self) -> Iterator[Picture]:
        """Numbered from 0 at the first picture decoded."""
        self._decoder.thread_type = "AUTO"
        index, last, end = -1, None, Fraction(0)
        for frame in self._frames():
            if self._goes_by_order and self._awaited:
                frame.pts = self._awaited[0][1]
            lost = self._lost_before(frame.pts)
            if index >= 0 and self._counts_packets:
                index += lost
                self._lost += lost
            index += 1
            last = self._time(frame.pts, last)
            self._concealed += frame.is_corrupt
            shown = frame.duration * self._info.time_base or 1 / self._info.rate
            end = last * self._info.time_base + shown
            yield Picture(frame, index, last)
        if self._counts_packets:
            self._lost += len(self._awaited)
        if last is not None:
            self._short = self._missing_after(end, index + 1)
        self._missing = missing_bytes(Path(self._info.path))

    def _missing_after(self, end: Fraction, count: int) -> Fraction:
        """Seconds by which the end stated in the file exceeds that of its last frame.

        Args:
            count: frames read or lost.
        """
        # All frames that the file states are accounted for: the last one's duration does not
        # matter.
        if self._info.frame_count and count + self._discarded >= self._info.frame_count:
            return Fraction(0)
        promised = promised_end(self._container, self._stream)
        # A rounding error is not a missing frame.
        if promised is None or promised - end < Fraction(3, 4) / self._info.rate:
            return Fraction(0)
        return promised - end

    def _frames(self) -> Iterator[av.VideoFrame]:
        for packet in _packets(self._container, self._stream):
            if packet is not None and packet.is_discard:
                self._discarded += 1
            elif packet is not None and packet.pts is not None:
                self._part += self._order.restarts(packet)
                heapq.heappush(self._awaited, (self._part, packet.pts))
            try:
                yield from self._decoder.decode(packet)
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                self.errors += 1
                if self._goes_by_order and packet is not None:
                    self._awaited = [each for each in self._awaited if each[1] != packet.pts]
                    heapq.heapify(self._awaited)

    def _lost_before(self, pts: int | None) -> int:
        """How many packets should have come out before the frame at ``pts`` and never will."""
        due = min((each for each in self._awaited if each[1] == pts), default=None)
        if due is None:
            return 0
        earlier = 0
        while self._awaited and self._awaited[0] <= due:
            earlier += heapq.heappop(self._awaited) < due
        return earlier

    def _time(self, pts: int | None, last: int | None) -> int:
        """The frame's own timestamp; if that is missing or runs backwards, the next one due."""
        if pts is not None and (last is None or pts > last):
            return pts
        if last is None:
            return self._info.start_pts
        self._retimed += 1
        return last + max(1, round(1 / (self._info.rate * self._info.time_base)))

    @contextmanager
    def reporting(self, report: Callable[[Damage], None]) -> Iterator[None]:
        """Report the damage once, at the end."""
        try:
            yield
        finally:
            damage = Damage(
                max(self.errors, self._lost), self._concealed, self._short, self._missing
            )
            report(damage)
            if damage:
                log.warning("%s: %s", self._info.path, damage)
            if self._retimed:
                log.warning(
                    "%s: frames without a usable timestamp, put in order: %d",
                    *(self._info.path, self._retimed),
                )


def _packets(
    container: InputContainer, stream: VideoStream
) -> Iterator["Packet[VideoStream] | None"]:
    """Packets of a stream, and None or an empty one to flush the decoder at the end.

    A truncated file ends here, with what could be read.
    """
    try:
        yield from container.demux(stream)
    except av.error.FFmpegError as error:
        log.warning("%s: ends early (%s); read up to there", container.name, error)
        yield None
