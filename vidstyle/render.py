"""A whole render: from the names that the user gave to a finished file and its report."""

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import torch

from vidstyle.analysis import Analysis, Take, analyse, find_excluded, find_take, read_style
from vidstyle.errors import UsageError
from vidstyle.layer import Layer, Look
from vidstyle.options import RenderOptions, StyledObject
from vidstyle.parts import Parts, build_parts
from vidstyle.pipeline import cut_into_segments, render_shot
from vidstyle.progress import Progress
from vidstyle.report import Report
from vidstyle.segment.mattes import Mattes
from vidstyle.segment.prompts import ObjectSpec, parse_object
from vidstyle.style.stylizer import Style
from vidstyle.timing import Stages
from vidstyle.video.clip import ClipReader
from vidstyle.video.codecs import codec_for
from vidstyle.video.overlap import WriteBehind
from vidstyle.video.pattern import is_pattern, matching
from vidstyle.video.reader import open_clip
from vidstyle.video.target import check_target, is_picture_target, target_exists
from vidstyle.video.writer import open_writer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What is to be made of what.

    Attributes:
        source: a video file, a sequence pattern, a folder of pictures, or a picture.
        target: a video file, a sequence pattern or a picture.
        objects: from the lowest layer to the topmost; at least one.
        matte_target: where the first object's mattes go as pictures or video; None for nowhere.
        overwrite: whether ``target`` may exist.
    """

    source: str
    target: str
    objects: Sequence[StyledObject]
    options: RenderOptions
    matte_target: str | None = None
    overwrite: bool = False


def render(job: Job, progress: Progress) -> Report:
    """Run a job. Nothing stands under the target's name before it is whole.

    Raises:
        VidstyleError: see :mod:`vidstyle.errors`.
    """
    torch.manual_seed(job.options.seed)
    reader, specs, exclusions = _open(job)
    parts = build_parts(job.options, [*specs, *exclusions])
    styles = _styles(job, reader, parts)
    stages = Stages()
    with tempfile.TemporaryDirectory(prefix="vidstyle-") as work:
        with stages("analysis"):
            take = _take(job, reader, progress)
            excluded = find_excluded(take, exclusions, parts, Path(work, "excluded"), progress)
            analyses = [
                analyse(
                    take,
                    spec,
                    style,
                    parts,
                    job.options,
                    Path(work, str(number)),
                    progress,
                    excluded,
                )
                for number, (spec, style) in enumerate(zip(specs, styles, strict=True))
            ]
        if job.matte_target:
            _write_mattes(take, analyses[0].mattes, job.matte_target)
        progress.stage("render", take.frame_count)
        with _writer(job, take) as writer:
            for number, shot in enumerate(take.shots):
                render_shot(
                    reader,
                    cut_into_segments(
                        shot.start, shot.stop, job.options.segment, job.options.preroll
                    ),
                    partial(_layers, analyses, number, parts, job.options, stages),
                    writer,
                    batch=job.options.batch,
                    stages=stages,
                    on_frames=progress.advance,
                )
    lost = [analysis.lost for analysis in analyses]
    return Report.of(job.source, job.target, job.objects, lost, job.options, parts, take, stages)


def plan(job: Job, progress: Progress) -> str:
    """What :func:`render` would do, without doing it: shots, objects, parts, memory.

    Raises:
        VidstyleError: what can be found wrong before objects are looked for.
    """
    reader, specs, exclusions = _open(job)
    parts = build_parts(job.options, [*specs, *exclusions])
    _styles(job, reader, parts)
    take = _take(job, reader, progress)
    height, width = take.size
    shots = ", ".join(f"{shot.start}-{shot.stop - 1}" for shot in take.shots)
    lines = [
        f"input    {job.source}: {take.frame_count} frames, {width}x{height}, "
        f"{float(reader.info.rate):.3f} fps, {reader.info.pix_fmt}, "
        f"{reader.info.audio_streams} audio",
        f"output   {job.target}",
        f"shots    {len(take.shots)}: {shots}",
        *(
            f"object   {wanted.object or 'whole frame'} in the style of {wanted.style}"
            for wanted in job.objects
        ),
        *(f"exclude  {spec}" for spec in exclusions),
        *(f"{part:<9}{name}" for part, name in parts.names().items()),
        f"memory   about {_memory(job.options, take) / 2**20:.0f} MiB of frames and features, "
        "for any length",
    ]
    return "\n".join(lines)


def is_done(job: Job) -> bool:
    """Whether the output is there, whole. Of a sequence that is known by decoding the source.

    Raises:
        MediaError, UsageError: the source cannot be read, or has no such frames.
    """
    if not is_pattern(job.target):
        return target_exists(job.target)
    written = len(matching(job.target))
    return bool(written) and written >= _frame_count(job)


def _frame_count(job: Job) -> int:
    return sum(1 for _ in open_clip(job.source).frames(*job.options.range))


def _open(job: Job) -> tuple[ClipReader, list[ObjectSpec | None], list[ObjectSpec]]:
    """The clip, its objects and what is excluded, once all is refused that can be before work
    starts."""
    if not 0 <= job.options.strength <= 1:
        raise UsageError(f"--strength {job.options.strength}: must lie between 0 and 1")
    specs = [
        None if wanted.object is None else parse_object(wanted.object) for wanted in job.objects
    ]
    exclusions = [parse_object(text, "--exclude") for text in job.options.exclude]
    _check_targets(job)
    reader = open_clip(job.source)
    for spec in filter(None, [*specs, *exclusions]):
        spec.check_inside(reader.info.size)
    return reader, specs, exclusions


def _check_targets(job: Job) -> None:
    targets = {job.target: job.options.codec}
    if job.matte_target is not None:
        if Path(job.matte_target).resolve() == Path(job.target).resolve():
            raise UsageError(f"--matte-out {job.matte_target}: is the output; name another file")
        targets[job.matte_target] = _matte_codec(job.matte_target)
    for target, codec in targets.items():
        check_target(target, job.source)
        codec_for(codec, target)
        if target_exists(target) and not job.overwrite:
            raise UsageError(f"{target}: exists; add --overwrite, or name another output")


def _styles(job: Job, reader: ClipReader, parts: Parts) -> list[tuple[Style, ...]]:
    return [read_style(wanted.style, reader.info.size, parts.stylizer) for wanted in job.objects]


def _take(job: Job, reader: ClipReader, progress: Progress) -> Take:
    """As ``find_take``; its frames must fit into the targets."""
    take = find_take(reader, job.options, progress)
    for target in filter(None, (job.target, job.matte_target)):
        if take.frame_count > 1 and is_picture_target(target) and not is_pattern(target):
            raise UsageError(
                f"{target}: one picture cannot hold {take.frame_count} frames; "
                "name a pattern such as shot.####.png or a video file"
            )
    return take


def _layers(
    analyses: Sequence[Analysis], shot: int, parts: Parts, options: RenderOptions, stages: Stages
) -> list[Layer]:
    """Fresh layers for one segment of a shot."""
    look = Look(options.strength, options.feather, parts.steady)
    return [
        Layer(analysis.mattes, transfer, parts.stylizer, look, stages)
        for analysis in analyses
        if (transfer := analysis.transfers[shot]) is not None
    ]


def _writer(job: Job, take: Take) -> WriteBehind:
    info = take.reader.info
    part = None
    if job.options.first is not None or job.options.last is not None:
        part = _seconds(take)
    writer = open_writer(
        job.target, info, codec=job.options.codec, source=job.source, audio_range=part
    )
    return WriteBehind(writer, depth=2 * job.options.batch)


def _seconds(take: Take) -> tuple[Fraction, Fraction]:
    """The time that the take covers, in seconds of the source."""
    first = next(take.frames(take.start, take.start + 1))
    last = next(take.frames(take.count - 1, take.count))
    return first.time, last.time + 1 / take.reader.info.rate


def _write_mattes(take: Take, mattes: Mattes, target: str) -> None:
    """Write mattes as grey pictures of the clip's size and times."""
    info = replace(take.reader.info, bits=8, audio_streams=0)
    with open_writer(target, info, codec=_matte_codec(target)) as writer:
        for frame in take.frames(take.start):
            matte = torch.from_numpy(mattes[frame.index])
            writer.write(replace(frame, image=matte[..., None].expand(-1, -1, 3).contiguous()))


def _matte_codec(target: str) -> str | None:
    """Mattes lose nothing where the container allows it."""
    return "ffv1" if Path(target).suffix.lower() == ".mkv" else None


def _memory(options: RenderOptions, take: Take) -> int:
    """Bytes: queued frames, and the network's working set for one call."""
    height, width = take.size
    frames = 6 * options.batch * height * width * 3 * (take.reader.info.bits + 7) // 8
    return frames + 16 * options.batch * height * width * 3 * 4
