"""``--codec list``: the presets, what each keeps, and whether it works on this machine."""

from fractions import Fraction

from vidstyle.cli.say import aligned
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.codecs import CODECS, Codec
from vidstyle.media.video.encoder import refusal

# A clip that every encoder takes, if it works at all.
_EXAMPLE = ClipInfo("", width=256, height=144, rate=Fraction(24), time_base=Fraction(1, 24))

_HEADS = ("preset", "in", "bits", "chroma", "alpha", "loss", "HDR metadata", "here")


def codec_table() -> str:
    """A line for each preset, under heads."""
    return aligned([_HEADS, *(_row(codec) for codec in CODECS.values())])


def _row(codec: Codec) -> tuple[str, ...]:
    return (
        codec.name,
        " ".join(suffix.removeprefix(".") for suffix in codec.suffixes),
        " ".join(map(str, codec.depths)),
        " ".join(codec.chroma) or "RGB",
        "kept" if codec.alpha else "-",
        "none" if codec.lossless else "some",
        "kept" if codec.hdr else "-",
        f"no: {reason}" if (reason := refusal(codec, _EXAMPLE)) else "yes",
    )
