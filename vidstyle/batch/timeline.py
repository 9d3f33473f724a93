"""The shots of an edit: a CMX 3600 EDL or an OpenTimelineIO timeline.

A shot's settings are stored with its clip: in OTIO as a mapping ``vidstyle`` in the clip's
metadata, in an EDL as a comment, ``* VIDSTYLE: object=person style=art.jpg strength=0.5``.
"""

import codecs
import logging
import math
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import opentimelineio as otio

from vidstyle.batch.folder import shots_in_folder
from vidstyle.batch.names import plain_name
from vidstyle.batch.shot import Named, Range, Shot, shot_of
from vidstyle.batch.table import beside
from vidstyle.errors import MediaError, UsageError, VidstyleError
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.probe import probe
from vidstyle.media.video.timecodes import frame_at
from vidstyle.runtime.nesting import check_depth

log = logging.getLogger(__name__)

# Adapters for text formats.
_TEXTS = {".edl": "cmx_3600", ".otio": "otio_json"}

# A rate, allowing drop frame, above any EDL's frame numbers, so that it can be read for its names.
_ANY_RATE = 60000 / 1001


def shots_in_timeline(path: Path, media: Path, rate: Fraction | None) -> list[Shot]:
    """A shot for each clip of the video tracks, in their order, dissolves included.

    Clips that are disabled or show no footage (black, bars) are skipped. One whose file is not
    found becomes a shot with ``trouble``.

    Args:
        media: folder to search, by name or reel, for clips that have no file of their own.
        rate: frame rate of an EDL's timecodes; None for that of its clips.

    Raises:
        MediaError: it cannot be read.
        UsageError: a clip's settings are invalid.
    """
    files = _Media(media)
    if path.suffix.lower() == ".edl":
        timeline = _read(path, rate=float(rate or _rate_of_edl(path, files)))
        range_of = partial(_named, drops=";" in _text(path))
        return [_shot(clip, path, files, range_of(clip)) for clip in _clips(timeline)]
    return [_shot(clip, path, files, _cut(clip)) for clip in _clips(_read(path))]


def _read(path: Path, **options: Any) -> otio.schema.Timeline:
    adapter = _TEXTS.get(path.suffix.lower())
    try:
        if adapter == "otio_json":
            check_depth(_text(path))
        read = (
            otio.adapters.read_from_string(_text(path), adapter, **options)
            if adapter
            else otio.adapters.read_from_file(str(path), **options)
        )
    except Exception as error:  # adapters raise arbitrary exceptions
        problem = " ".join(str(error).split())[:200]
        raise MediaError(
            f"{path}: not a readable timeline ({problem}); export it again"
            + ("; --rate says what an EDL counts in" if options else "")
        ) from None
    if not isinstance(read, otio.schema.Timeline):
        raise MediaError(f"{path}: holds a {type(read).__name__}, not a timeline; export that")
    return read


def _text(path: Path) -> str:
    """A text file's content, without the byte-order mark that some programs add."""
    content = path.read_bytes()
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if is_wide else "utf-8-sig", errors="replace")


def _clips(timeline: otio.schema.Timeline) -> Iterator[otio.schema.Clip]:
    """Clips that show footage: no black, bars, or other generated media."""
    for track in timeline.video_tracks():
        for clip in track.find_clips():
            made = isinstance(clip.media_reference, otio.schema.GeneratorReference)
            if clip.enabled and not made:
                yield clip


def _shot(clip: otio.schema.Clip, path: Path, files: "_Media", range_: Range) -> Shot:
    source = _own_file(clip, path) or files.find(clip.name) or files.find(_cmx(clip).get("reel"))
    # EDL events without a clip name are named by their number.
    unnamed = not clip.name or (clip.name.isdecimal() and "reel" in _cmx(clip))
    known = Shot(
        name=_cmx(clip).get("reel", "shot") if unnamed else plain_name(clip.name),
        source=source or "",
        range=range_,
        trouble=None
        if source
        else f"no file for clip {clip.name!r} in {files.folder}; name its folder by --media",
    )
    where = f"{path}, clip {clip.name!r}"
    return shot_of(_settings(clip, where), where, beside(path), known)


def _named(clip: otio.schema.Clip, drops: bool) -> Named:
    """The EDL's timecodes, or for a retimed event those of all frames that it plays through."""
    shown = _used(clip)
    ends = shown.start_time, shown.end_time_inclusive()
    return Named(*(otio.opentime.to_timecode(time, time.rate, drops) for time in ends))


def _cut(clip: otio.schema.Clip) -> "Cut":
    shown = _used(clip)
    available = clip.media_reference.available_range if clip.media_reference else None
    return Cut(
        start=_seconds(shown.start_time),
        duration=_seconds(shown.duration),
        media_start=None if available is None else _seconds(available.start_time),
    )


def _used(clip: otio.schema.Clip) -> otio.opentime.TimeRange:
    """The range of footage that a clip uses: for a speed effect all that it plays through, for a
    freeze the one frame."""
    shown = clip.visible_range()
    warps = [e for e in clip.effects if isinstance(e, otio.schema.LinearTimeWarp)]
    if not warps:
        return shown
    speed = math.prod(warp.time_scalar for warp in warps)
    frames = max(1, round(shown.duration.value * abs(speed)))
    log.info(
        "clip %r: at %.0f%% speed%s, all %d frames that it goes through are rendered; "
        "retime the result as before",
        clip.name, 100 * abs(speed), ", reversed" if speed < 0 else "", frames,
    )  # fmt: skip
    return otio.opentime.TimeRange(
        shown.start_time, otio.opentime.RationalTime(frames, shown.duration.rate)
    )


@dataclass(frozen=True)
class Cut:
    """A part of a clip, in seconds of the clip's own clock.

    Attributes:
        start, duration: of the part.
        media_start: clock time of the clip's first frame; None if unknown: the start timecode if
            the part lies after it, else zero.
    """

    start: Fraction
    duration: Fraction
    media_start: Fraction | None

    def frames(self, info: ClipInfo, handles: int) -> tuple[int | None, int | None]:
        """See :class:`~vidstyle.batch.shot.Range`."""
        origin = self.media_start
        if origin is None:
            origin = _start_of(info)
            if self.start < origin:
                origin = Fraction(0)
        first = round((self.start - origin) * info.rate)
        count = round(self.duration * info.rate)
        if first < 0 or count < 1:
            raise UsageError(
                f"{info.path}: the timeline takes {count} frames from frame {first} of it; "
                "relink it to this file"
            )
        return max(0, first - handles), first + count - 1 + handles


def _start_of(info: ClipInfo) -> Fraction:
    """A clip's start timecode, in seconds of a clock that counts its frames."""
    if info.timecode is None:
        return Fraction(0)
    since_midnight = "00:00:00;00" if ";" in info.timecode else "00:00:00:00"
    clock = ClipInfo(**{**vars(info), "timecode": since_midnight, "frame_count": None})
    return frame_at(info.timecode, clock) / info.rate


def _seconds(time: otio.opentime.RationalTime) -> Fraction:
    """Exact seconds: OTIO's rates are floats, 23.976023976 for 24000/1001."""
    nominal = round(time.rate)
    drift = Fraction(nominal * 1000, 1001)
    rate = drift if abs(time.rate - float(drift)) < 1e-2 and time.rate != nominal else nominal
    return Fraction(time.value).limit_denominator(1000) / Fraction(rate)


def _own_file(clip: otio.schema.Clip, path: Path) -> str | None:
    """The file that the clip refers to, if it exists."""
    reference = clip.media_reference
    if isinstance(reference, otio.schema.ImageSequenceReference):
        folder = _local(reference.target_url_base, path)
        padding = f"%0{max(1, reference.frame_zero_padding)}d"
        pattern = f"{reference.name_prefix}{padding}{reference.name_suffix}"
        return str(folder / pattern) if folder.is_dir() else None
    if isinstance(reference, otio.schema.ExternalReference) and reference.target_url:
        file = _local(reference.target_url, path)
        return str(file) if file.exists() else None
    return None


def _local(url: str, path: Path) -> Path:
    """What a URL or a path names; many programs leave the # of a name as it is in either."""
    parts = urlsplit(url, allow_fragments=False)
    if parts.scheme != "file":
        # C:\plates parses as a one-letter scheme.
        return path.parent / (url if parts.scheme else unquote(url))
    named = unquote(parts.path)
    if parts.netloc not in ("", "localhost"):
        named = f"//{parts.netloc}{named}"
    elif re.match("/[A-Za-z]:", named):
        named = named[1:]
    return path.parent / named


def _cmx(clip: otio.schema.Clip) -> Mapping[str, Any]:
    found: Mapping[str, Any] = clip.metadata.get("cmx_3600", {})
    return found


def _settings(clip: otio.schema.Clip, where: str) -> dict[str, str]:
    own = clip.metadata.get("vidstyle", {})
    # Lists are OpenTimelineIO's own sequence type.
    settings = {
        str(key): value
        if isinstance(value, str) or not isinstance(value, Sequence)
        else "|".join(map(str, value))
        for key, value in own.items()
    }
    settings = {key: str(value) for key, value in settings.items()}
    for comment in _cmx(clip).get("comments", ()):
        head, _, rest = str(comment).partition(":")
        if head.strip().upper() == "VIDSTYLE":
            try:
                pairs = shlex.split(rest)
            except ValueError as error:  # an unbalanced quote
                raise UsageError(f"{where}: {comment}: {error}; fix it") from None
            for pair in pairs:
                key, _, value = pair.partition("=")
                settings[key] = value
    return settings


def _rate_of_edl(path: Path, files: "_Media") -> Fraction:
    """The frame rate of an EDL's clips, since the EDL itself does not state one."""
    for clip in _clips(_read(path, rate=_ANY_RATE, ignore_timecode_mismatch=True)):
        source = files.find(clip.name) or files.find(_cmx(clip).get("reel"))
        try:
            if source:
                return probe(source).rate
        except VidstyleError:
            continue
    raise MediaError(f"{path}: none of its clips is in {files.folder}; --media DIR, or --rate")


class _Media:
    """Files below a folder by name, with or without suffix, ignoring case."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, name: str | None) -> str | None:
        """The clip or sequence of that name; None if there is none, or no name."""
        return self._names.get(name.lower()) if name else None

    @cached_property
    def _names(self) -> dict[str, str]:
        names: dict[str, str] = {}
        folders = [self.folder, *(p for p in sorted(self.folder.rglob("*")) if p.is_dir())]
        for folder in folders:
            for shot in shots_in_folder(folder):
                names.setdefault(Path(shot.source).name.lower(), shot.source)
                names.setdefault(shot.name.lower(), shot.source)
        return names
