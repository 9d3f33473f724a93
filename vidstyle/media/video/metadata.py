"""Textual metadata of a file: titles, artists, locations, chapters."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from av.stream import Stream

if TYPE_CHECKING:
    # Only in the stub.
    from av.container.core import Chapter

from vidstyle.media.video.span import Span

# Written by the muxer itself for the new file; timecode belongs to the first frame.
_REMADE = {
    "major_brand", "minor_version", "compatible_brands", "encoder", "timecode", "duration",
    "vendor_id", "rotate", "alpha_mode", "software", "isft", "creation_time",
}  # fmt: skip
# Matroska's stream statistics, which no longer apply.
_STATISTICS = ("BPS", "NUMBER_OF_", "_STATISTICS_", "DURATION")

# Keys that mp4 and mov have atoms of their own for. All others need their general table, which
# older players do not read.
_ATOMS = {"title", "artist", "comment", "copyright", "date", "genre", "album", "location"}


def carried(metadata: Mapping[str, str]) -> dict[str, str]:
    """The entries of a container or stream that apply to the output as well."""
    kept = {}
    for key, value in metadata.items():
        # FFmpeg lists language-tagged entries twice: key, and key-eng.
        twice = metadata.get(key[:-4]) == value and key[-4:-3] == "-"
        if key.lower() not in _REMADE and not key.startswith(_STATISTICS) and not twice:
            kept[key] = value
    if "creation_time" in metadata:
        kept["creation_time"] = metadata["creation_time"]
    return kept


def needs_general_table(metadata: Mapping[str, str]) -> bool:
    """Whether mp4 or mov would lose an entry (see ``movflags use_metadata_tags`` in FFmpeg)."""
    return not {key.lower() for key in metadata} <= _ATOMS | {"creation_time"}


def words_of(stream: Stream) -> dict[str, str]:
    """The metadata of a stream that applies to the output as well."""
    # What FFmpeg's mp4 demuxer reads as name, its muxer writes from title.
    return {
        "title" if key == "name" else key: value for key, value in carried(stream.metadata).items()
    }


def describe(source: Stream, target: Stream) -> None:
    """Copy metadata and disposition of a source stream to an output stream."""
    target.metadata.update(words_of(source))
    target.disposition = source.disposition


def chapters_within(chapters: "Sequence[Chapter]", span: Span, shift: Fraction) -> "list[Chapter]":
    """The chapters that overlap a span, trimmed to it and shifted by ``shift`` seconds."""
    within: list[Chapter] = []
    for chapter in chapters:
        base = chapter["time_base"] or Fraction(1, 1000)
        start, end = chapter["start"] * base, chapter["end"] * base
        if not span.meets(start, end):
            continue
        if span.start is not None:
            start = max(start, span.start)
        if span.end is not None:
            end = min(end, span.end)
        moved = chapter.copy()
        moved["start"] = round((start + shift) / base)
        moved["end"] = round((end + shift) / base)
        within.append(moved)
    return within
