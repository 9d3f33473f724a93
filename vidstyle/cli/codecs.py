"""``--codec list``: the presets, what each keeps, and whether it works on this machine."""

from fractions import Fraction

import click

from vidstyle.video.clip import ClipInfo
from vidstyle.video.codecs import CODECS, Codec
from vidstyle.video.colour import ColourTags
from vidstyle.video.encoder import refusal

# A clip that every encoder takes, if it works at all.
_EXAMPLE = ClipInfo(
    path="",
    width=256,
    height=144,
    rate=Fraction(24),
    time_base=Fraction(1, 24),
    start_pts=0,
    frame_count=None,
    duration=None,
    codec="h264",
    pix_fmt="yuv420p",
    bits=8,
    colour=ColourTags(),
)

_HEADS = ("preset", "in", "bits", "chroma", "alpha", "loss", "HDR metadata", "here")


def list_codecs(context: click.Context, _: click.Parameter, value: str | None) -> str | None:
    """Callback of ``--codec``: prints the table for ``list`` and ends; else passes on."""
    if value != "list" or context.resilient_parsing:
        return value
    rows = [_HEADS, *(_row(codec) for codec in CODECS.values())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())
    raise click.exceptions.Exit(0)


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
