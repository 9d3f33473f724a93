"""A whole render: from the names that the user gave to a finished file and its report."""

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import torch

from vidstyle.analysis import Analysis, Take, analyse, find_take
from vidstyle.errors import UsageError
from vidstyle.layer import Layer, Look
from vidstyle.options import RenderOptions, StyledObject
from vidstyle.parts import Parts, build_parts
from vidstyle.pipeline import cut_into_segments, render_shot
from vidstyle.progress import Progress
from vidstyle.report import Report
from vidstyle.segment.mattes import Mattes
from vidstyle.segment.prompts import parse_object
from vidstyle.timing import Stages
from vidstyle.video.clip import ClipInfo, ClipReader
from vidstyle.video.overlap import WriteBehind
from vidstyle.video.reader import open_clip
from vidstyle.video.target import check_target, target_exists
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
    reader = _open(job)
    parts = build_parts(job.options)
    stages = Stages()
    with tempfile.TemporaryDirectory(prefix="vidstyle-") as work:
        with stages("analysis"):
            take = find_take(reader, job.options, progress)
            analyses = [
                analyse(take, wanted, parts, job.options, Path(work, str(number)), progress)
                for number, wanted in enumerate(job.objects)
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
        progress.close()
    return Report.of(job.source, job.target, job.objects, job.options, parts, take, stages)


def plan(job: Job, progress: Progress) -> str:
    """What :func:`render` would do, without doing it: shots, objects, parts, memory.

    Raises:
        VidstyleError: what can be found wrong before objects are looked for.
    """
    reader = _open(job)
    parts = build_parts(job.options)
    take = find_take(reader, job.options, progress)
    progress.close()
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
        *(f"{part:<9}{name}" for part, name in parts.names().items()),
        f"memory   about {_memory(job.options, take) / 2**20:.0f} MiB of frames and features, "
        "for any length",
    ]
    return "\n".join(lines)


def _open(job: Job) -> ClipReader:
    """Everything that can be refused before work starts."""
    if not 0 <= job.options.strength <= 1:
        raise UsageError(f"--strength {job.options.strength}: must lie between 0 and 1")
    for wanted in job.objects:
        if wanted.object:
            parse_object(wanted.object)
    reader = open_clip(job.source)
    for target in filter(None, (job.target, job.matte_target)):
        check_target(target, job.source)
        if target_exists(target) and not job.overwrite:
            raise UsageError(f"{target}: exists; add --overwrite, or name another output")
    return reader


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
    info = _matte_info(take.reader.info)
    codec = (
        None
        if Path(target).suffix.lower() not in (".mkv", ".mov", ".mp4")
        else _matte_codec(target)
    )
    with open_writer(target, info, codec=codec) as writer:
        for frame in take.frames(take.start):
            matte = torch.from_numpy(mattes[frame.index])
            writer.write(replace(frame, image=matte[..., None].expand(-1, -1, 3).contiguous()))


def _matte_codec(target: str) -> str:
    """Mattes lose nothing where the container allows it."""
    return "h264" if Path(target).suffix.lower() == ".mp4" else "ffv1"


def _matte_info(info: ClipInfo) -> ClipInfo:
    return replace(info, bits=8, audio_streams=0)


def _memory(options: RenderOptions, take: Take) -> int:
    """Bytes: queued frames, and the network's working set for one call."""
    height, width = take.size
    frames = 6 * options.batch * height * width * 3 * (take.reader.info.bits + 7) // 8
    return frames + 16 * options.batch * height * width * 3 * 4
