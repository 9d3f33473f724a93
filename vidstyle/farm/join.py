"""Joining the segments into the file that a single render of the same grid would write."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from vidstyle.errors import MediaError
from vidstyle.farm.rendered import Sidecar, State, images, read_sidecar
from vidstyle.farm.work import WorkFolder
from vidstyle.farm.worker import Worker
from vidstyle.media.colour_management import manage
from vidstyle.media.frame import Frame
from vidstyle.pipeline.analysis import Take
from vidstyle.pipeline.output import (
    check_carries,
    check_encodes,
    check_fits,
    check_outputs,
    open_output,
)
from vidstyle.pipeline.shot import rendered
from vidstyle.runtime.claim import claimed
from vidstyle.runtime.leftovers import sweep
from vidstyle.runtime.prefetch import read_ahead
from vidstyle.runtime.progress import Progress

log = logging.getLogger(__name__)


def join(
    worker: Worker,
    work: WorkFolder,
    source: str,
    target: str,
    progress: Progress,
    *,
    repair: bool = False,
    overwrite: bool = False,
) -> None:
    """Write the whole clip from its segments.

    Args:
        worker: of the same work directory and source.
        repair: render missing or damaged segments here.
        overwrite: whether ``target`` may exist.

    Raises:
        UsageError: the target cannot be written, or another process is writing it.
        MediaError: a segment is missing or damaged, or the disk write fails.
    """
    outputs = partial(check_outputs, source, target, (), worker.manifest.options.codec, overwrite)
    outputs()
    with claimed(target):
        outputs()  # another process may just have made it
        sweep(Path(target).parent)
        _join(worker, work, source, target, progress, repair=repair)


def _join(
    worker: Worker, work: WorkFolder, source: str, target: str, progress: Progress, *, repair: bool
) -> None:
    manifest = worker.manifest
    colour = manage(worker.reader.info, manifest.options.colorspace)
    check_encodes(target, worker.reader.info, colour, manifest.options)
    check_carries(source, target)
    every = range(len(manifest.segments))
    lacking = [n for n, state in worker.states(every).items() if state is not State.WHOLE]
    if lacking and not repair:
        raise MediaError(
            f"{work.root}: {_named(lacking)} of 0-{len(every) - 1}: missing, damaged or from "
            "another analysis; render first, or join with --repair"
        )
    if lacking:
        log.warning("rendering %s", _named(lacking))
        worker.render(lacking, progress, overwrite=True)
    take = Take(worker.reader, manifest.shots, colour, manifest.clip.fades)
    check_fits(take, target)
    progress.stage("join", take.frame_count)
    frames = take.reader.frames(take.start, take.count)
    with (
        open_output(target, source, take, manifest.options) as writer,
        read_ahead(frames, depth=2 * manifest.options.batch) as plates,
    ):
        channels = 4 if manifest.options.element else 3
        for frame in _rendered(work, every, plates, channels):
            writer.write(frame)
            progress.advance(1)
    try:
        work.forget_partials()
    except MediaError as error:
        log.warning("%s", error)  # the clip is complete


def _named(numbers: list[int]) -> str:
    return f"segment{'' if len(numbers) == 1 else 's'} {runs(numbers)}"


def runs(numbers: list[int]) -> str:
    """Ascending numbers in short form: ``0-3,7``."""
    ends = [n for n in numbers if n + 1 not in numbers]
    starts = [n for n in numbers if n - 1 not in numbers]
    return ",".join(
        f"{first}-{last}" if first < last else f"{first}"
        for first, last in zip(starts, ends, strict=True)
    )


def _rendered(
    work: WorkFolder, segments: range, plates: Iterator[Frame], channels: int
) -> Iterator[Frame]:
    """The plates with their pictures replaced by the rendered ones.

    Raises:
        MediaError: the segments' frames differ from the clip's.
    """
    for number in segments:
        sidecar, pictures = _sidecar(work, number), None
        for index, pts in zip(sidecar.frames, sidecar.pts, strict=True):
            plate = next(plates, None)
            if plate is None or plate.index != index:
                raise MediaError(f"{work.segment(number)}: frame {index} is not in the clip")
            if pictures is None:
                like = plate.image.new_empty(*plate.size, channels)
                pictures = images(work.segment(number), len(sidecar.frames), like)
            yield rendered(replace(plate, pts=pts), next(pictures))
    if next(plates, None) is not None:
        raise MediaError(f"{work.root}: the clip has more frames than were rendered")


def _sidecar(work: WorkFolder, number: int) -> Sidecar:
    try:
        return read_sidecar(work, number)
    except FileNotFoundError as error:
        raise MediaError(
            f"{error.filename}: has disappeared; is something deleting files there?"
        ) from None
