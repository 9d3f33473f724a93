"""Rendering segments of an analysed clip: the work of a farm task."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from vidstyle.errors import UsageError, WeightsError
from vidstyle.farm.frozen import load
from vidstyle.farm.identity import fingerprint, weight_hashes
from vidstyle.farm.manifest import read_manifest
from vidstyle.farm.rendered import (
    FramesWriter,
    Sidecar,
    State,
    checksum,
    state_of,
    write_sidecar,
)
from vidstyle.farm.work import WorkFolder
from vidstyle.media.colour_management import manage
from vidstyle.media.video.clip import ClipReader
from vidstyle.media.video.overlap import WriteBehind, queue_depth
from vidstyle.media.video.reader import open_clip
from vidstyle.options import DEFAULTS
from vidstyle.pipeline.analysis import Analysis, Take
from vidstyle.pipeline.parts import Parts, build_parts
from vidstyle.pipeline.preparation import layer_context, new_layers
from vidstyle.pipeline.shot import render_shot
from vidstyle.runtime.atomic import replacing
from vidstyle.runtime.device import seeded
from vidstyle.runtime.leftovers import sweep
from vidstyle.runtime.log_context import at
from vidstyle.runtime.memory import frames_at_once
from vidstyle.runtime.progress import Progress
from vidstyle.runtime.timing import Stages

log = logging.getLogger(__name__)


class Worker:
    """Renders segments; models are loaded once, with the first segment.

    Attributes:
        manifest: of the work directory.
        reader: of the clip.
    """

    def __init__(
        self,
        work: WorkFolder,
        source: str,
        *,
        device: str | None = None,
        flow_cache: str | None = None,
        flow_cache_size: int = DEFAULTS.flow_cache_size,
    ) -> None:
        """
        Args:
            source: the analysed clip, at its path on this machine.
            device: as ``MachineOptions.device``; None for the device given to the analysis.
            flow_cache, flow_cache_size: as in ``MachineOptions``.

        Raises:
            UsageError: no analysis, or one by another version or of another clip.
            MediaError: the clip cannot be read, or the manifest is damaged.
        """
        self._work = work
        self.manifest, self._digest = read_manifest(work)
        self.reader = open_analysed(source, self.manifest.clip.fingerprint, work)
        self._options = replace(
            self.manifest.options, flow_cache=flow_cache, flow_cache_size=flow_cache_size
        )
        if device is not None:
            self._options = replace(self._options, device=device)

    def states(self, numbers: Iterable[int]) -> dict[int, State]:
        """State of each segment. Raises UsageError if the grid has no such segment."""
        last = len(self.manifest.segments) - 1
        wanted = list(numbers)
        if wanted and wanted[-1] > last:
            raise UsageError(f"--segments: the last segment of this clip is {last}")
        return {number: state_of(self._work, number, self._digest) for number in wanted}

    def render(self, numbers: Iterable[int], progress: Progress, overwrite: bool = False) -> None:
        """Render segments, skipping those already complete.

        Args:
            numbers: segment numbers, ascending.
            overwrite: whether segments rendered for another analysis may be replaced.

        Raises:
            UsageError: no such segment, or one belongs to another analysis.
            WeightsError: a model differs from the analysis's.
            DeviceError, MediaError: from the parts, the reader or the disk.
        """
        due = []
        for number, state in self.states(numbers).items():
            if state is State.OTHER and not overwrite:
                raise UsageError(
                    f"{self._work.segment(number)}: {state.value}; add --overwrite to replace it"
                )
            if state is State.WHOLE:
                log.info("segment %d: already rendered", number)
                continue
            if state is State.DAMAGED:
                log.warning("segment %d: damaged, rendering it again", number)
            due.append(number)
        if due:
            self._render(due, progress)

    def _render(self, numbers: list[int], progress: Progress) -> None:
        manifest, options = self.manifest, self._options
        flow = options.flow if options.temporal == "blend" else None
        if weight_hashes(options.model, flow, options.backend) != manifest.weights:
            raise WeightsError(
                f"{self._work.root}: analysed with weights that differ from this machine's; "
                "give all machines the same"
            )
        parts = build_parts(options)
        analyses = load(self._work, manifest, parts.stylizer)
        colour = manage(self.reader.info, options.colorspace)
        take = Take(self.reader, manifest.shots, colour, manifest.clip.fades)
        sweep(self._work.make(self._work.segment(0).parent))
        progress.stage("render", sum(self._length(number) for number in numbers))
        for number in numbers:
            # Seeded one by one, so that what a plug-in draws does not depend on the task.
            with (
                at(shot=manifest.segments[number].shot, segment=number),
                seeded(options.seed),
            ):
                self._render_one(number, take, analyses, parts, progress)

    def _render_one(
        self,
        number: int,
        take: Take,
        analyses: Sequence[Analysis],
        parts: Parts,
        progress: Progress,
    ) -> None:
        options, stages, place = self._options, Stages(), self.manifest.segments[number]
        with replacing(self._work.segment(number)) as file:
            writer = FramesWriter(file)
            context = layer_context(parts, take, stages)
            behind = WriteBehind(writer, queue_depth(self.reader.info, options.batch))
            with behind, parts.workers:
                render_shot(
                    take.reader,
                    [place.segment],
                    partial(new_layers, analyses, place.shot, options, context),
                    behind,
                    batch=frames_at_once(options.batch, take.size, parts.device),
                    workers=parts.workers,
                    stages=stages,
                    on_frames=progress.advance,
                    element=options.element,
                )
            content = checksum(file)
        sidecar = Sidecar(
            segment=number,
            manifest=self._digest,
            frames=tuple(writer.frames),
            pts=tuple(writer.pts),
            content=content,
            device=str(parts.device),
            seconds={name: round(time, 3) for name, time in stages.seconds.items()},
        )
        write_sidecar(self._work, sidecar)
        log.info("segment %d: frames %d-%d", number, place.start, place.stop - 1)

    def _length(self, number: int) -> int:
        place = self.manifest.segments[number]
        return place.stop - place.start


def open_analysed(source: str, expected: str, work: WorkFolder) -> ClipReader:
    """Open the analysed clip.

    Args:
        expected: its fingerprint.

    Raises:
        UsageError: it is another clip.
        MediaError: it cannot be read.
    """
    reader = open_clip(source)
    if fingerprint(source) != expected:
        raise UsageError(
            f"{source}: not the clip that {work.root} was made from; name that clip, "
            "or analyse this one into another folder"
        )
    return reader
