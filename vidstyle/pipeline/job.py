"""A whole render: from the user's file names to a finished output and its report."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from vidstyle.media.video.kept import KeptClip
from vidstyle.media.video.overlap import queue_depth
from vidstyle.options import MachineOptions, QualityOptions
from vidstyle.pipeline.analysis import Analysis, Take
from vidstyle.pipeline.made import Made, fingerprint
from vidstyle.pipeline.output import (
    check_carries,
    check_encodes,
    check_fits,
    check_outputs,
    matte_targets,
    open_output,
    writing_mattes,
)
from vidstyle.pipeline.preparation import Preparation, Request, layer_context, new_layers
from vidstyle.pipeline.report import Report
from vidstyle.pipeline.shot import cut_into_segments, render_shot
from vidstyle.runtime.array_file import room
from vidstyle.runtime.claim import claimed
from vidstyle.runtime.device import seeded
from vidstyle.runtime.extras import needs_extra
from vidstyle.runtime.leftovers import sweep
from vidstyle.runtime.log_context import at
from vidstyle.runtime.memory import STEP_BYTES, frames_at_once
from vidstyle.runtime.progress import Progress
from vidstyle.runtime.scratch import temporary_folder
from vidstyle.runtime.timing import Stages
from vidstyle.segment.clip import working_size
from vidstyle.segment.tracking.pair_flows import pair_bytes

if TYPE_CHECKING:
    from vidstyle.pipeline.quality import QualityControl

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Job(Request):
    """A render request with its outputs.

    Attributes:
        target: a video file, a sequence pattern or a picture.
        matte_target: where to write the mattes, as pictures or video, see
            ``output.matte_targets``; None to skip them.
        overwrite: whether ``target`` may exist.
        quality: how to score the output; None to skip scoring.
        remembered: whether to record the result beside ``target``, see :func:`is_made`.
    """

    target: str
    matte_target: str | None = None
    overwrite: bool = False
    quality: QualityOptions | None = None
    remembered: bool = False


def run(job: Job, progress: Progress) -> Report:
    """Run a job. The target appears under its name only once it is complete.

    An output that fails quality control is kept: see ``Report.check_quality``.

    Raises:
        UsageError: another process is making the same output.
        VidstyleError: see :mod:`vidstyle.errors`.
    """
    _check_outputs(job)
    with claimed(*outputs(job)), seeded(job.options.seed):
        sweep(*(Path(output).parent for output in outputs(job)))
        return _run(job, progress)


def _run(job: Job, progress: Progress) -> Report:
    stages = Stages()
    preparation = _prepare(job)
    control = _quality_control(job, preparation)
    progress.outline([*preparation.stages(), "render", *(["evaluate"] if control else [])])
    record, request = Made.beside(job.target), _request(job) if job.remembered else None
    with temporary_folder() as work, closing(KeptClip(preparation.reader, work)) as kept:
        with stages("analysis"):
            take = _take(job, preparation, progress, kept)
            analyses = preparation.analyse(take, work, progress)
        with record.making(request, outputs(job)) if request else nullcontext():
            _write(job, preparation, take, analyses, stages, progress)
        quality = None
        if control:
            with stages("quality"):
                quality = control(take, [analysis.mattes for analysis in analyses], progress)
        report = Report.of(job, job.target, preparation, take, analyses, stages)
        for line in report.doubts:
            log.warning("%s", line)
        return report.scored(quality) if quality else report


def _write(
    job: Job,
    preparation: Preparation,
    take: Take,
    analyses: Sequence[Analysis],
    stages: Stages,
    progress: Progress,
) -> None:
    """Write the mattes and the restyled clip. Matte movies get their final names just before the
    clip does, so a failed run leaves none."""
    options, parts = job.options, preparation.parts
    with (
        open_output(job.target, job.source, take, options) as writer,
        ExitStack() as written,
        parts.workers,
    ):
        for analysis, target in zip(analyses, _matte_targets(job), strict=False):
            written.enter_context(writing_mattes(take, analysis.mattes, target))
        progress.stage("render", take.frame_count)
        context = layer_context(parts, take, stages)
        for number, shot in enumerate(take.shots):
            layers = partial(new_layers, analyses, number, options, context)
            with at(shot=number):
                render_shot(
                    take.reader,
                    cut_into_segments(shot.start, shot.stop, options.segment, options.preroll),
                    layers,
                    writer,
                    batch=frames_at_once(options.batch, take.size, parts.device),
                    workers=parts.workers,
                    stages=stages,
                    on_frames=progress.advance,
                    element=options.element,
                )


def _quality_control(job: Job, preparation: Preparation) -> "QualityControl | None":
    """
    Raises:
        UsageError: its packages are not installed, or a threshold is invalid.
        WeightsError: no estimator on this machine can judge.
    """
    if job.quality is None:
        return None
    with needs_extra("evaluate", "--qc"):
        from vidstyle.pipeline.quality import QualityControl
    return QualityControl(job.quality, job, job.target, preparation.parts.names()["flow"])


def plan(job: Job, progress: Progress) -> str:
    """Dry run of :func:`run`: shots, objects, parts, memory.

    Raises:
        VidstyleError: anything that can be detected before the search for objects.
    """
    preparation = _prepare(job)
    _quality_control(job, preparation)
    take = _take(job, preparation, progress)
    info = take.reader.info
    memory = _memory(job.options, take, preparation.parts.device) / 2**20
    disk = min(take.frame_count * info.frame_bytes, room())
    if any(wanted.object for wanted in job.objects):
        disk += min(take.frame_count * pair_bytes(working_size(take.size)), room())
    shots = ", ".join(f"{shot.start}-{shot.stop - 1}" for shot in take.shots)
    lines = [
        (
            "input",
            f"{job.source}: {take.frame_count} frames, {info.width}x{info.height}, "
            f"{float(info.rate):.3f} fps, {info.pix_fmt}, {info.audio_streams} audio",
        ),
        ("output", job.target),
        ("shots", f"{len(take.shots)}: {shots}"),
        *(("object", wanted) for wanted in job.objects),
        *(("exclude", text) for text in job.options.exclude),
        *preparation.parts.names().items(),
        ("disk", f"up to {disk / 2**20:.0f} MiB of decoded frames and flows while it runs"),
        ("memory", f"at most {memory:.0f} MiB of frames and features, for any length"),
    ]
    return "\n".join(f"{name:<11}{text}" for name, text in lines)


def is_made(job: Job) -> bool:
    """Whether the output of exactly this job exists, complete and recorded.

    Raises:
        MediaError, WeightsError: the source, a style or the model is missing.
    """
    return Made.beside(job.target).holds(_request(job))


def _request(job: Job) -> str:
    return fingerprint(job, outputs=[Path(output).name for output in outputs(job)])


def outputs(job: Job) -> list[str]:
    """Files and patterns that a job writes."""
    return [job.target, *_matte_targets(job)]


def _prepare(job: Job) -> Preparation:
    """Reject everything that can be rejected before work starts."""
    _check_outputs(job)
    preparation = Preparation(job)
    check_encodes(job.target, preparation.reader.info, preparation.colour, job.options)
    check_carries(job.source, job.target)
    return preparation


def _check_outputs(job: Job) -> None:
    check_outputs(job.source, job.target, _matte_targets(job), job.options.codec, job.overwrite)


def _take(
    job: Job, preparation: Preparation, progress: Progress, kept: KeptClip | None = None
) -> Take:
    take = preparation.find_take(progress, kept)
    check_fits(take, job.target, *_matte_targets(job))
    return take


def _matte_targets(job: Job) -> list[str]:
    return matte_targets(job.matte_target, len(job.objects))


def _memory(options: MachineOptions, take: Take, device: torch.device) -> int:
    """Bytes: queued frames, intermediates of two batches, and the network's working set."""
    info = take.reader.info
    pixels, batch = info.height * info.width, frames_at_once(options.batch, take.size, device)
    # Frames queued on either side, plus inputs and results of three batches.
    frames = 2 * queue_depth(info, options.batch) + 6 * batch
    network = options.max_memory * 2**20
    return frames * info.frame_bytes + 2 * batch * pixels * STEP_BYTES + network
