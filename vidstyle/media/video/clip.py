"""Clip properties, and the interfaces for reading and writing clips."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType
from typing import Protocol, Self

from vidstyle.media.frame import Frame
from vidstyle.media.video.colour import ColourTags
from vidstyle.media.video.hdr import HdrMetadata


@dataclass(frozen=True)
class ClipInfo:
    """A clip as the rest of the program sees it: upright, and in presentation order.

    Attributes:
        path: what the user named.
        width, height: in pixels, upright (after rotation).
        rate: average frames per second.
        time_base: seconds per unit of ``pts``.
        start_pts: presentation time of the first frame, in ``time_base``.
        frame_count: from the container; None if it states none.
        duration: of the picture in seconds, from the container; None if it states none.
        codec: FFmpeg's name of the video codec.
        pix_fmt: pixel format as coded (``yuv420p``, ``gbrp``, …).
        bits: bits per component; frames are ``uint8`` up to 8, else ``uint16``, or ``float32``
            where ``is_float``.
        colour: tags as stored in the file.
        rotation: degrees counterclockwise by which players turn the coded picture.
        sample_aspect: width of a pixel over its height, upright.
        audio_streams: their number.
        timecode: SMPTE timecode of the first frame, when the clip carries one.
        alpha: whether frames carry alpha.
        hdr: mastering display and content light, if the clip has them.
        is_float: components are floating point: half (``bits`` 16) or single.
        space: colour space stated in the files; None if they state none.
        is_sequence: an image sequence or picture rather than a video file; ``pts`` is then the
            number in the file name.
        numbers: of an image sequence, each frame's number in the file name; else empty.
    """

    path: str
    width: int
    height: int
    rate: Fraction
    time_base: Fraction
    start_pts: int = 0
    frame_count: int | None = None
    duration: Fraction | None = None
    codec: str = "rawvideo"
    pix_fmt: str = "yuv420p"
    bits: int = 8
    colour: ColourTags = ColourTags()  # noqa: RUF009 - frozen
    rotation: int = 0
    sample_aspect: Fraction = Fraction(1)
    audio_streams: int = 0
    timecode: str | None = None
    alpha: bool = False
    hdr: HdrMetadata | None = None
    is_float: bool = False
    space: str | None = None
    is_sequence: bool = False
    numbers: tuple[int, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.height, self.width

    @property
    def frame_bytes(self) -> int:
        """Bytes of a decoded frame's colour channels."""
        component = 4 if self.is_float else 1 if self.bits <= 8 else 2
        return 3 * component * self.height * self.width


@dataclass(frozen=True)
class Damage:
    """What could not be read of a clip.

    Attributes:
        lost: frames skipped because they are damaged beyond decoding.
        concealed: frames that are damaged and partly concealed.
        short: seconds missing after the last frame, by the duration that the file states; else 0.
        missing: bytes missing at the end of the file.
    """

    lost: int = 0
    concealed: int = 0
    short: Fraction = Fraction(0)
    missing: int = 0

    def __bool__(self) -> bool:
        return bool(self.lost or self.concealed or self.short or self.missing)

    def __str__(self) -> str:
        told = []
        if self.lost:
            told.append(f"frames damaged beyond decoding and left out: {self.lost}")
        if self.concealed:
            told.append(f"frames damaged and partly concealed: {self.concealed}")
        if self.short:
            told.append(f"ends {float(self.short):.2f} s before the end that it promises")
        if self.missing:
            told.append(f"cut off, {self.missing} bytes of the file are missing")
        return "; ".join(told)


class ClipReader(Protocol):
    """A clip that can be read from any frame, any number of times."""

    @property
    def info(self) -> ClipInfo: ...

    @property
    def damage(self) -> Damage:
        """Damage found by the latest read, as far as it got."""
        ...

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """Frames ``start ≤ index < stop`` in presentation order; each call decodes afresh.

        Indices count from 0. A frame damaged beyond decoding is skipped along with its index, so
        the others keep their numbers wherever reading starts. ``pts`` strictly increases. Ends
        early, without an error, if the clip ends before ``stop``.

        Raises:
            MediaError: the clip no longer exists, or a picture in it cannot be used.
        """
        ...


class ClipWriter(Protocol):
    """A clip being written. As a context manager: commits at the end, aborts on an exception."""

    def write(self, frame: Frame) -> None:
        """Append a frame of the clip's size; ``pts`` must increase.

        Raises:
            UsageError: the frame has a different size, or is out of order.
        """
        ...

    def commit(self) -> None:
        """Finish, and give the output its final name. Call once only."""
        ...

    def abort(self) -> None:
        """Leave no output that looks finished. Safe to call after ``commit``, or twice."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self.abort()
