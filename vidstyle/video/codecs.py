"""The codecs that clips are written with, and the pixel format each takes for a given clip."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path
from types import MappingProxyType

import av

from vidstyle.errors import UsageError
from vidstyle.video.clip import ClipInfo
from vidstyle.video.colour import FULL, RGB, ColourTags, resolve
from vidstyle.video.target import is_picture_target

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Codec:
    """A preset.

    Attributes:
        name: what ``--codec`` calls it.
        encoder: what FFmpeg calls it.
        suffixes: containers that hold it with exact times.
        options: FFmpeg's own.
        depths: bits per component that it can hold, rising.
        chroma: "" for RGB, "422" for that alone, None for whatever the source has.
        tag: FourCC in mp4 and mov, where players want a certain one.
    """

    name: str
    encoder: str
    suffixes: tuple[str, ...]
    options: Mapping[str, str]
    depths: tuple[int, ...]
    chroma: str | None = None
    tag: str | None = None


CODECS: Mapping[str, Codec] = MappingProxyType(
    {
        codec.name: codec
        for codec in (
            Codec(
                "h264",
                "libx264",
                (".mp4", ".mov", ".mkv"),
                {"crf": "16", "preset": "medium"},
                depths=(8, 10),
            ),
            Codec(
                "hevc",
                "libx265",
                (".mp4", ".mov", ".mkv"),
                {"crf": "18", "preset": "medium", "x265-params": "log-level=error"},
                depths=(8, 10, 12),
                tag="hvc1",
            ),
            # Lossless: decoding gives back the RGB bit for bit. FFmpeg's mov does not take it,
            # and avi has no frame times.
            Codec("ffv1", "ffv1", (".mkv",), {"level": "3"}, depths=(8, 16), chroma=""),
            # Profile 3 is 422 HQ.
            Codec(
                "prores",
                "prores_ks",
                (".mov", ".mkv"),
                {"profile": "3", "vendor": "apl0"},
                depths=(10,),
                chroma="422",
            ),
        )
    }
)

MOVIE_SUFFIXES = (".mp4", ".mov", ".mkv")


def choose_codec(name: str | None, target: str) -> Codec:
    """The preset called ``name`` (h264 for None).

    Raises:
        UsageError: no such preset, no such container, or one that does not hold the codec.
    """
    suffix = Path(target).suffix.lower()
    if suffix not in MOVIE_SUFFIXES:
        raise UsageError(
            f"{target}: no container is called {suffix or 'that'!r}; "
            f"end the name in {', '.join(MOVIE_SUFFIXES)}, .png or .jpg"
        )
    fitting = ", ".join(c.name for c in CODECS.values() if suffix in c.suffixes)
    codec = CODECS.get(name or "h264")
    if codec is None:
        raise UsageError(f"--codec {name}: no such preset; {suffix} takes {fitting}")
    if suffix not in codec.suffixes:
        raise UsageError(
            f"--codec {codec.name}: {suffix} cannot hold it; choose {fitting}, "
            f"or end the output's name in {' or '.join(codec.suffixes)}"
        )
    return codec


def codec_for(name: str | None, target: str) -> Codec | None:
    """As :func:`choose_codec`; None for an image sequence or a picture, which take none.

    Raises:
        UsageError: as there, or a codec was named for pictures.
    """
    if not is_picture_target(target):
        return choose_codec(name, target)
    if name is not None:
        raise UsageError(f"--codec {name}: pictures take none; leave it out")
    return None


def pixel_format(codec: Codec, info: ClipInfo) -> str:
    """FFmpeg's name of the format that keeps most of the clip: its depth, its chroma, its size."""
    depth = next((bits for bits in codec.depths if bits >= info.bits), codec.depths[-1])
    if codec.chroma == "":
        return "bgr0" if depth == 8 else f"gbrp{depth}le"
    chroma = _chroma(codec, info)
    return f"yuv{chroma}p" + ("" if depth == 8 else f"{depth}le")


def _chroma(codec: Codec, info: ClipInfo) -> str:
    chroma = codec.chroma or _chroma_of(info)
    if (info.width % 2 and chroma != "444") or (info.height % 2 and chroma == "420"):
        log.info(
            "%d×%d is odd: written as 4:4:4, since %s would need another size",
            info.width,
            info.height,
            chroma,
        )
        return "444"
    return chroma


def _chroma_of(info: ClipInfo) -> str:
    source = av.VideoFormat(info.pix_fmt, 64, 64)
    if info.is_sequence or len(source.components) < 3:
        return "420"
    step = 64 // source.chroma_width(), 64 // source.chroma_height()
    return {(2, 2): "420", (2, 1): "422"}.get(step, "444")


def output_tags(codec: Codec, info: ClipInfo) -> ColourTags:
    """The tags to write: the clip's own, with the matrix and range that the pixels really have."""
    if codec.chroma == "":
        return replaced(info.colour, matrix=RGB, range=FULL)
    tags = resolve(info.colour, info.size)
    if av.VideoFormat(info.pix_fmt).is_rgb:
        # Full-range YUV is rare enough that many players misread it.
        return replaced(tags, range=1)
    return tags
