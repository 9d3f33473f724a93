"""The codecs that clips are written with: names, what each preserves, containers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

from vidstyle.errors import UsageError
from vidstyle.media.oiio import COMPRESSIONS
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.colour import BT709
from vidstyle.media.video.target import is_picture_target


@dataclass(frozen=True)
class Codec:
    """A preset.

    Attributes:
        name: what ``--codec`` calls it.
        encoder: what FFmpeg calls it.
        suffixes: containers that hold it.
        options: FFmpeg's own.
        depths: bits per component that it can hold, ascending; the lowest that holds the source's
            is used.
        chroma: samplings that it can hold: ``420``, ``422``, ``444``; none for RGB.
        alpha: whether it can hold the source's alpha.
        lossless: whether decoding gives back the pipeline's RGB bit for bit.
        tag: FourCC in mp4 and mov, if players require a certain one.
        hdr: FFmpeg's option through which the encoder takes HDR metadata; None if it has none.
        full_range: whether it distinguishes full range from limited.
        matrix: the only one (H.273) that it can signal; None for any.
        halves_odd: whether a picture of odd size may have subsampled chroma: half, rounded up.
        least: shortest side, below which the encoder would crash rather than refuse.
        semiplanar: whether its deep formats are p010 rather than three planes.
        pads_odd: whether a picture of odd size is padded by a row or column, rather than given full
            chroma.
    """

    name: str
    encoder: str
    suffixes: tuple[str, ...]
    options: Mapping[str, str]
    depths: tuple[int, ...]
    chroma: tuple[str, ...] = ("420", "422", "444")
    alpha: bool = False
    lossless: bool = False
    tag: str | None = None
    hdr: str | None = None
    full_range: bool = True
    matrix: int | None = None
    halves_odd: bool = False
    least: int = 1
    semiplanar: bool = False
    pads_odd: bool = False


MOVIE_SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".mxf")

#: Containers that number their frames instead of giving each a time.
COUNTED = (".avi", ".mxf")

# SMPTE ST 377-1 leaves rates open; these are FFmpeg's.
_MXF_RATES = frozenset(
    [Fraction(rate) for rate in (24, 25, 30, 48, 50, 60, 96, 100, 120)]
    + [Fraction(1000 * rate, 1001) for rate in (24, 30, 48, 60)]
)

_ANYWHERE = (".mp4", ".mov", ".mkv")
# x264's macroblock tree, as built into PyAV's wheels, encodes the same frames to different bits
# from run to run, even with one thread: without it renders are reproducible.
_X264 = {"crf": "16", "preset": "medium", "x264-params": "mbtree=0"}
_X265 = {"crf": "18", "preset": "medium", "x265-params": "log-level=error"}
_NVENC = {"preset": "p6", "rc": "vbr", "cq": "18", "b": "0"}

CODECS: Mapping[str, Codec] = MappingProxyType(
    {
        codec.name: codec
        for codec in (
            Codec("h264", "libx264", _ANYWHERE, _X264, (8, 10), hdr="x264-params"),
            Codec("h264-10bit", "libx264", _ANYWHERE, _X264, (10,), hdr="x264-params"),
            Codec(
                "hevc", "libx265", _ANYWHERE, _X265, (8, 10, 12), tag="hvc1", hdr="x265-params",
                least=48,
            ),
            Codec(
                "hevc-10bit", "libx265", _ANYWHERE, _X265, (10,), tag="hvc1", hdr="x265-params",
                least=48,
            ),
            Codec(
                "av1",
                "libsvtav1",
                (".mp4", ".mkv"),
                {"crf": "18", "preset": "7"},
                (8, 10),
                chroma=("420",),
                hdr="svtav1-params",
                halves_odd=True,
                least=4,
            ),
            # Profile 3 is 422 HQ, 4 is 4444. FFmpeg's encoder corrupts the last column of odd
            # 4:2:2.
            Codec(
                "prores",
                "prores_ks",
                (".mov", ".mkv"),
                {"profile": "3", "vendor": "apl0"},
                (10,),
                chroma=("422",),
                full_range=False,
            ),
            Codec(
                "prores-4444",
                "prores_ks",
                (".mov", ".mkv"),
                {"profile": "4", "vendor": "apl0", "alpha_bits": "16"},
                (10,),
                chroma=("444",),
                alpha=True,
                full_range=False,
            ),
            # FFmpeg's encoder writes BT.709 into the bitstream, regardless of the container.
            Codec(
                "dnxhr-hqx",
                "dnxhd",
                (".mov", ".mxf"),
                {"profile": "dnxhr_hqx"},
                (10,),
                chroma=("422",),
                matrix=BT709,
                halves_odd=True,
            ),
            # FFmpeg's mov muxer does not take it, though its mp4 muxer does.
            Codec(
                "ffv1",
                "ffv1",
                (".mkv", ".mp4", ".avi"),
                {"level": "3"},
                (8, 16),
                chroma=(),
                alpha=True,
                lossless=True,
            ),
            Codec(
                "h264-nvenc", "h264_nvenc", _ANYWHERE, _NVENC, (8,), chroma=("420", "444")
            ),
            Codec(
                "hevc-nvenc",
                "hevc_nvenc",
                _ANYWHERE,
                _NVENC,
                (8, 10),
                chroma=("420",),
                tag="hvc1",
                halves_odd=True,
                semiplanar=True,
            ),
            Codec(
                "av1-nvenc",
                "av1_nvenc",
                (".mp4", ".mkv"),
                _NVENC,
                (8, 10),
                chroma=("420",),
                halves_odd=True,
                semiplanar=True,
            ),
        )
    }
)  # fmt: skip

# What browsers, phones and QuickTime play: no other chroma, and more depth only in HEVC.
_PLAYABLE = replace(CODECS["h264"], depths=(8,), chroma=("420",), pads_odd=True)
_PLAYABLE_DEEP = replace(CODECS["hevc-10bit"], name="hevc", chroma=("420",), pads_odd=True)

_USUAL = {".avi": "ffv1", ".mxf": "dnxhr-hqx"}


def choose_codec(name: str | None, target: str, info: ClipInfo | None = None) -> Codec:
    """The preset called ``name``; None means ffv1 for avi, DNxHR HQX for mxf, else what plays
    everywhere: 8-bit 4:2:0 H.264, or HEVC Main 10 for deeper clips.

    Args:
        info: of the clip; None while it is not known, which allows the same containers.

    Raises:
        UsageError: no such preset, no such container, or it cannot hold the codec or the clip.
    """
    suffix = Path(target).suffix.lower()
    if suffix not in MOVIE_SUFFIXES:
        raise UsageError(
            f"{target}: {suffix or 'a name without a suffix'} cannot be written; "
            f"end the name in {', '.join(MOVIE_SUFFIXES)}, .png or .jpg"
        )
    fitting = ", ".join(c.name for c in CODECS.values() if suffix in c.suffixes)
    if name is None and suffix not in _USUAL:
        deep = info is not None and info.bits > 8 and min(info.size) >= _PLAYABLE_DEEP.least
        return _PLAYABLE_DEEP if deep else _PLAYABLE
    codec = CODECS.get(name or _USUAL[suffix])
    if codec is None:
        raise UsageError(f"--codec {name}: no such preset; {suffix} takes {fitting}")
    if suffix not in codec.suffixes:
        raise UsageError(
            f"--codec {codec.name}: {suffix} cannot hold it; choose {fitting}, "
            f"or end the output's name in {' or '.join(codec.suffixes)}"
        )
    if suffix == ".mxf" and info is not None and info.rate not in _MXF_RATES:
        raise UsageError(
            f"{target}: mxf has no rate of {float(info.rate):g} frames a second; "
            "end the name in .mov"
        )
    return codec


def codec_for(name: str | None, target: str, info: ClipInfo | None = None) -> Codec | None:
    """As :func:`choose_codec`; None for an image sequence or a picture, which only take a
    compression.

    Raises:
        UsageError: as there, or pictures of that kind have no such compression.
    """
    if not is_picture_target(target):
        return choose_codec(name, target, info)
    suffix = Path(target).suffix.lower()
    fitting = COMPRESSIONS.get(suffix, ())
    if name is not None and name not in fitting:
        raise UsageError(
            f"--codec {name}: {suffix} pictures take "
            + (f"one of {', '.join(fitting)}" if fitting else "none; leave it out")
        )
    return None
