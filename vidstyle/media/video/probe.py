"""Properties of a clip before it is rendered, and why one cannot be read."""

import logging
import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import av
import av.error
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from vidstyle.errors import MediaError
from vidstyle.media.access import readable
from vidstyle.media.limits import check_size, most_pixels
from vidstyle.media.pattern import is_sequence
from vidstyle.media.video.alpha import has_alpha
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.colour import tags_of
from vidstyle.media.video.hdr import hdr_of
from vidstyle.media.video.orientation import DisplayMatrix, display_matrix, swaps_sides
from vidstyle.media.video.sequence import describe_sequence
from vidstyle.media.video.streams import choose_stream, position

log = logging.getLogger(__name__)

# Columns and rows, at least what any of FFmpeg's decoders aligns to.
_PADDING = 256

_ALPHA_DECODERS: Mapping[str, Literal["libvpx", "libvpx-vp9"]] = MappingProxyType(
    {"vp8": "libvpx", "vp9": "libvpx-vp9"}
)
_ALPHA_MODE = ("alpha_mode", "ALPHA_MODE")


# The time format of Matroska's tags.
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)$")

# Formats that users try but FFmpeg knows only by name, or mistakes for something else.
_LAYERS = "a layered picture; save it flat as PNG or TIFF first"
_DRAWING = "a drawing without pixels; export it as PNG first"
_RAW = "a camera's raw picture; develop it to TIFF or PNG first"
_NO_FOOTAGE: Mapping[str, str] = MappingProxyType(
    dict.fromkeys((".psd", ".psb", ".xcf", ".kra", ".afphoto"), _LAYERS)
    | dict.fromkeys((".svg", ".svgz", ".ai", ".eps", ".pdf"), _DRAWING)
    | dict.fromkeys((".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"), _RAW)
)
_KINDS = {"video": "cover art", "subtitle": "subtitles"}


def probe(source: str) -> ClipInfo:
    """Properties of a video file, a sequence pattern, a folder of pictures or a picture.

    Raises:
        MediaError: nothing readable there; the message says why.
    """
    return describe_sequence(source) if is_sequence(source) else probe_video(source)


@readable()
def open_video(path: str) -> InputContainer:
    """The opened container.

    Raises:
        MediaError: no such file, or nothing that FFmpeg can open.
    """
    file = Path(path)
    if not file.exists():
        raise MediaError(f"{path}: no such file or folder; check the name")
    if file.is_dir():
        raise MediaError(f"{path}: a folder, not a video file; name a clip in it")
    if not file.is_file():
        raise MediaError(f"{path}: a pipe or device, which is read once; save it to a file first")
    if file.stat().st_size == 0:
        raise MediaError(f"{path}: the file is empty (0 bytes); copy or export it again")
    if file.suffix.lower() in _NO_FOOTAGE:
        raise MediaError(f"{path}: {_NO_FOOTAGE[file.suffix.lower()]}")
    try:
        # Absolute: FFmpeg takes the start of "take:1.mp4" for a protocol.
        return av.open(str(file.absolute()), "r", metadata_errors="replace")
    except PermissionError:
        raise MediaError(f"{path}: not allowed to read it; check its permissions") from None
    except av.error.FFmpegError as error:
        raise MediaError(f"{path}: {_why_unreadable(file, error)}") from None


def _why_unreadable(file: Path, error: Exception) -> str:
    with file.open("rb") as opened:
        head = opened.read(4096)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return "the file is cut short or damaged (no index, 'moov'); copy or export it again"
    if b"\0" not in head:
        return "text, not a video, whatever its name says; name a video file"
    return f"not a video that FFmpeg can read ({error}); convert it to mp4, mov or mkv first"


def video_stream(container: InputContainer, path: str) -> VideoStream:
    """The stream of moving pictures, see ``choose_stream``.

    Raises:
        MediaError: there is none, or its frames are larger than allowed.
    """
    stream = choose_stream(container, path)
    if stream is None:
        # The only video, if any, is cover art.
        kinds = sorted({_KINDS.get(s.type, s.type) for s in container.streams}) or ["nothing"]
        raise MediaError(f"{path}: no video in it, only {' and '.join(kinds)}; name a video file")
    if stream.codec_context is None:
        raise MediaError(f"{path}: no decoder for its video codec; convert it to H.264 first")
    context = stream.codec_context
    check_size(path, context.width, context.height)
    # FFmpeg rejects frames that grow later on; it counts its padding too.
    padded = (context.width + _PADDING) * (context.height + _PADDING)
    context.options = {**context.options, "max_pixels": str(max(most_pixels(), padded))}
    if len(container.streams.video) > 1:
        log.info("%s: video stream %s is used", path, position(container, stream))
    return stream


def probe_video(path: str) -> ClipInfo:
    """Open a video file and decode its first frame, whose tags are more reliable than the
    container's.

    Raises:
        MediaError: the file is missing, empty, not a video, truncated, or yields no frame.
    """
    with open_video(path) as container:
        stream = video_stream(container, path)
        first = _first_frame(container, stream)
        if first is None:
            raise MediaError(f"{path}: not one frame can be decoded; copy or export it again")
        check_progressive(first, path)
        matrix = display_matrix(first)
        return _describe(path, container, stream, first, matrix)


def check_progressive(frame: av.VideoFrame, path: str) -> None:
    """Reject two fields woven into one frame: styling and flow would smear them together.

    Raises:
        MediaError: the frame is interlaced.
    """
    if frame.interlaced_frame:
        raise MediaError(
            f"{path}: interlaced; deinterlace it first (ffmpeg -i IN -vf bwdif OUT), or, if its "
            "pictures are whole and only flagged so (PsF), clear the flag (-vf setfield=prog)"
        )


def decoder_of(stream: VideoStream) -> VideoCodecContext:
    """The decoder to use: the stream's own, except libvpx's for VP8 and VP9 with alpha, since
    FFmpeg's drop the alpha."""
    own = stream.codec_context
    library = _ALPHA_DECODERS.get(own.name)
    if library is None or "1" not in (stream.metadata.get(key) for key in _ALPHA_MODE):
        return own
    decoder = av.CodecContext.create(library, "r")
    decoder.extradata = own.extradata
    return decoder


def _first_frame(container: InputContainer, stream: VideoStream) -> av.VideoFrame | None:
    packets = container.demux(stream)
    decoder = decoder_of(stream)
    while True:
        try:
            for frame in decoder.decode(next(packets)):
                return frame
        except StopIteration:
            return None
        except av.error.EOFError:
            return None
        except av.error.FFmpegError:
            continue


def _describe(
    path: str,
    container: InputContainer,
    stream: VideoStream,
    first: av.VideoFrame,
    matrix: DisplayMatrix | None,
) -> ClipInfo:
    time_base = stream.time_base or Fraction(1, 90000)
    rate = stream.average_rate or stream.guessed_rate or stream.base_rate or Fraction(24)
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width, height = first.width, first.height
    if matrix is not None and swaps_sides(matrix):
        width, height, aspect = height, width, 1 / aspect
    duration = None
    if stream.duration is not None:
        duration = stream.duration * time_base
    elif container.duration is not None:
        duration = Fraction(container.duration, av.time_base)
    return ClipInfo(
        path=path,
        width=width,
        height=height,
        rate=Fraction(rate),
        time_base=Fraction(time_base),
        start_pts=first.pts if first.pts is not None else 0,
        frame_count=stream.frames or None,
        duration=duration,
        codec=stream.codec_context.name,
        pix_fmt=first.format.name,
        bits=first.format.components[0].bits,
        colour=tags_of(first),
        rotation=first.rotation,
        sample_aspect=Fraction(aspect),
        audio_streams=len(container.streams.audio),
        timecode=_timecode(container, stream),
        alpha=has_alpha(first.format.name),
        hdr=hdr_of(first),
    )


def promised_end(container: InputContainer, stream: VideoStream) -> Fraction | None:
    """End of the last frame in seconds, as stated in the file; None if it is not."""
    # For other formats FFmpeg takes the duration from the last packet it finds.
    if not {"mov", "matroska", "avi"} & set(container.format.name.split(",")):
        return None
    if stream.duration is not None and stream.time_base is not None:
        return (stream.duration + (stream.start_time or 0)) * stream.time_base
    # Matroska states the duration of each track, or of the longest.
    if told := _CLOCK.match(stream.metadata.get("DURATION", "")):
        hours, minutes, seconds = told.groups()
        return 3600 * int(hours) + 60 * int(minutes) + Fraction(seconds)
    if container.duration is not None and len(container.streams) == 1:
        return Fraction(container.duration + (container.start_time or 0), av.time_base)
    return None


def _timecode(container: InputContainer, stream: VideoStream) -> str | None:
    for metadata in (stream.metadata, container.metadata, *(s.metadata for s in container.streams)):
        for key in ("timecode", "TIMECODE"):
            if key in metadata:
                return metadata[key]
    return None
