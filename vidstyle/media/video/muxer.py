"""Prepares a container for exact timestamps, metadata and chapters."""

import math
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import av
from av.container import OutputContainer
from av.stream import Stream

if TYPE_CHECKING:
    # Only in the stub.
    from av.container.core import Chapter

from vidstyle.media.video.audio import is_decodable
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.metadata import carried, needs_general_table, words_of
from vidstyle.media.video.probe import open_video, video_stream

_OPTIONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        # Else audio that starts before zero (an AAC encoder's delay) shifts the picture as well.
        # And else its identifiers are random, so that the same render gives other bytes.
        ".mkv": {"avoid_negative_ts": "disabled", "fflags": "+bitexact"},
    }
)
ISO_MEDIA = (".mp4", ".mov")
# With a finer clock some players overflow in clips of several hours.
_FINEST_CLOCK = 10_000_000


@dataclass(frozen=True)
class Belongings:
    """What a source contains besides its picture and audio.

    Attributes:
        metadata: of the file.
        picture: metadata of the restyled stream, with the reel name.
        chapters: in source time.
        sound_rates: samples per second of its audio streams.
        left_behind: kinds of streams that no output takes.
    """

    metadata: Mapping[str, str] = field(default_factory=dict)
    picture: Mapping[str, str] = field(default_factory=dict)
    chapters: "tuple[Chapter, ...]" = ()
    sound_rates: tuple[int, ...] = ()
    left_behind: tuple[str, ...] = ()


def belongings_of(source: str) -> Belongings:
    """Read the belongings of a source.

    Raises:
        MediaError: the source cannot be read.
    """
    with closing(open_video(source)) as clip:
        # mov stores the reel name with the timecode.
        reels = {
            key: stream.metadata[key]
            for stream in clip.streams
            for key in ("reel_name",)
            if key in stream.metadata
        }
        chapters = tuple(clip.chapters())
        others = {
            "cover art" if _is_cover(s) else s.type
            for s in clip.streams
            if not _is_written_anew(s, has_chapters=bool(chapters))
        }
        return Belongings(
            metadata=carried(clip.metadata),
            picture=words_of(video_stream(clip, source)) | reels,
            chapters=chapters,
            sound_rates=tuple(s.rate for s in clip.streams.audio if is_decodable(s)),
            left_behind=tuple(sorted(others - {"video", "audio", "subtitle"})),
        )


def _is_cover(stream: Stream) -> bool:
    attached = av.stream.Disposition.attached_pic
    return stream.type == "video" and bool(stream.disposition & attached)


def _is_written_anew(stream: Stream, *, has_chapters: bool) -> bool:
    """Whether a stream holds the timecode or the chapters' names, which are carried over
    separately."""
    handler = stream.metadata.get("handler_name", "").lower()
    names_chapters = stream.type == "data" and ("text" in handler or "subtitle" in handler)
    return "timecode" in stream.metadata or (has_chapters and names_chapters)


def open_muxer(path: Path, info: ClipInfo, belongings: Belongings) -> OutputContainer:
    """An output container, by its suffix, with the metadata of the source."""
    suffix = path.suffix.lower()
    options = dict(_OPTIONS.get(suffix, {}))
    if suffix in ISO_MEDIA:
        flags = "+faststart"
        if needs_general_table(belongings.metadata):
            flags += "+use_metadata_tags"
        clock = _clock(info.time_base, belongings.sound_rates)
        options |= {"movflags": flags, "movie_timescale": str(clock)}
    container = av.open(str(path.absolute()), "w", options=options)
    container.metadata.update(belongings.metadata)
    return container


def _clock(time_base: Fraction, rates: tuple[int, ...]) -> int:
    """Ticks per second in which a track's start is written: FFmpeg's 1000 would shift audio that
    starts late by half a millisecond."""
    clock = math.lcm(time_base.denominator, *rates)
    return clock if clock <= _FINEST_CLOCK else 1_000_000
