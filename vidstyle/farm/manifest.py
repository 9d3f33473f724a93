"""The manifest of a work directory."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from vidstyle import __version__
from vidstyle.errors import MediaError, UsageError
from vidstyle.farm.sealed import read_sealed, seal, write_sealed
from vidstyle.farm.work import WorkFolder
from vidstyle.media.video.fades import Fade
from vidstyle.media.video.shots import Shot
from vidstyle.options import MachineOptions, RenderOptions, StyledObject
from vidstyle.pipeline.shot import Segment, cut_into_segments

SCHEMA = 1
"""Incremented when older versions could misread what newer ones write."""

Count = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True)
class Clip:
    """The footage: its content, and the part to render.

    Attributes:
        fingerprint: see ``identity.fingerprint``.
        width, height: in pixels, upright.
        rate: frames per second, a fraction.
        shots: first frame and end of each.
        fades: the faded frames of all shots.
    """

    fingerprint: Sha256
    width: Count
    height: Count
    rate: str
    pixel_format: str
    shots: tuple[tuple[Count, Count], ...]
    fades: tuple[Fade, ...] = ()


@dataclass(frozen=True)
class GridSegment:
    """One segment of the grid.

    Attributes:
        shot: number of its shot.
        start, stop: the frames it delivers, half-open.
        warm_up: first frame rendered.
    """

    shot: Count
    start: Count
    stop: Count
    warm_up: Count

    @property
    def segment(self) -> Segment:
        return Segment(self.start, self.stop, self.warm_up)


@dataclass(frozen=True)
class FrozenObject:
    """The analysis of one object.

    Attributes:
        lost: runs of frames (first, last) in which it is not seen.
        mattes: checksum of its matte index.
        statistics: sha256 of the file of its frozen statistics.
        carried: checksum of the index of its carried keys; None without painted keys.
    """

    lost: tuple[tuple[Count, Count], ...]
    mattes: Sha256
    statistics: Sha256
    carried: Sha256 | None = None


@dataclass(frozen=True)
class Manifest:
    """Everything needed to render a segment and to join them all.

    Attributes:
        schema: see :data:`SCHEMA`.
        vidstyle: version that ran the analysis; others may give different pixels.
        settings: see ``identity.settings_hash``.
        objects, options: the request, with automatic choices resolved to names.
        parts: names of the models, as in the report.
        weights: sha256 of the weights that segments are rendered with; a plug-in's version.
        styles: sha256 of the style pictures; None for an object without one.
        clip: the footage.
        segments: the grid.
        frozen: for each object.
    """

    schema: Literal[1]
    vidstyle: str
    settings: Sha256
    objects: tuple[StyledObject, ...]
    options: RenderOptions
    parts: dict[str, str]
    weights: dict[str, str]
    styles: tuple[Sha256 | None, ...]
    clip: Clip
    segments: Annotated[tuple[GridSegment, ...], Field(min_length=1)]
    frozen: tuple[FrozenObject, ...]

    @property
    def shots(self) -> list[Shot]:
        return [Shot(start, stop) for start, stop in self.clip.shots]

    @property
    def checksum(self) -> str:
        """Of the file, once written; it marks everything that depends on it."""
        return seal(_content(self))

    @property
    def frame_count(self) -> int:
        """Number of frames to render."""
        return self.segments[-1].stop - self.segments[0].start


def grid(shots: Sequence[Shot], options: MachineOptions) -> tuple[GridSegment, ...]:
    """The segments of all shots, in order."""
    return tuple(
        GridSegment(number, segment.start, segment.stop, segment.warm_up)
        for number, shot in enumerate(shots)
        for segment in cut_into_segments(shot.start, shot.stop, options.segment, options.preroll)
    )


_MANIFEST = TypeAdapter(Manifest)


def write_manifest(work: WorkFolder, manifest: Manifest) -> None:
    """Write it.

    Raises:
        MediaError: the disk write fails.
    """
    write_sealed(work.manifest, _content(manifest))


def _content(manifest: Manifest) -> dict[str, Any]:
    content: dict[str, Any] = to_jsonable_python(asdict(manifest))
    return content


def read_manifest(work: WorkFolder) -> tuple[Manifest, str]:
    """The manifest and its checksum.

    Raises:
        UsageError: there is none, or another version of vidstyle wrote it.
        MediaError: it is damaged.
    """
    try:
        content, digest = read_sealed(work.manifest, "analyse again")
    except FileNotFoundError:
        raise UsageError(
            f"{work.root}: not analysed (no {work.manifest.name}); run 'vidstyle analyse' first"
        ) from None
    _check_version(work, content)
    try:
        manifest = _MANIFEST.validate_python(content)
    except ValidationError as error:
        raise MediaError(
            f"{work.manifest}: damaged ({first_problem(error)}); analyse again"
        ) from None
    if not _is_whole(manifest):
        raise MediaError(f"{work.manifest}: damaged (its parts do not fit); analyse again")
    return manifest, digest


def first_problem(error: ValidationError) -> str:
    """The first problem, in a few words."""
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"


def _check_version(work: WorkFolder, content: dict[str, Any]) -> None:
    found = content.get("schema"), content.get("vidstyle")
    if found != (SCHEMA, __version__):
        raise UsageError(
            f"{work.manifest}: schema {found[0]!r} of vidstyle {found[1]!r}, this is schema "
            f"{SCHEMA} of vidstyle {__version__}; use the same version on all machines"
        )


def _is_whole(manifest: Manifest) -> bool:
    """Whether shots and segments are contiguous, match the settings, and each object is known."""
    shots, options = manifest.shots, manifest.options
    if options.segment < 1 or any(shot.start >= shot.stop for shot in shots):
        return False
    # Counted first: the grid of an absurdly long shot would exhaust memory.
    count = sum(-(-(shot.stop - shot.start) // options.segment) for shot in shots)
    return (
        all(before.stop == after.start for before, after in pairwise(shots))
        and len(manifest.segments) == count
        and manifest.segments == grid(shots, options)
        and len(manifest.objects) == len(manifest.frozen) == len(manifest.styles) > 0
    )
