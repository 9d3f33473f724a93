"""Score results against their plate, frame by frame."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from vidstyle.errors import UsageError
from vidstyle.evaluate.correspondence import Judge
from vidstyle.evaluate.footage import Instant, open_alike, together, window
from vidstyle.evaluate.gate import Threshold
from vidstyle.evaluate.judge import choose_judge, flows_used
from vidstyle.evaluate.likeness import build_lpips
from vidstyle.evaluate.metrics import (
    detail_of,
    laplacian_energy,
    masked_mean,
    warped_difference,
)
from vidstyle.evaluate.pictures import FlickerMaps, Slices, Stills, middle_row
from vidstyle.evaluate.regions import PARTS, WHOLE, region_names
from vidstyle.evaluate.scores import PLATE, Scores, measure_names, named
from vidstyle.evaluate.structure import ssim_map
from vidstyle.evaluate.style import LAYERS, StyleDistance
from vidstyle.media.frame import Frame
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.shots import find_cuts
from vidstyle.motion.cache import FlowCache
from vidstyle.options import DEFAULTS
from vidstyle.perceptual.network import build_perceptual
from vidstyle.runtime.device import select_device
from vidstyle.runtime.progress import Progress
from vidstyle.segment.mattes.store import Mattes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What to compare, and how.

    Attributes:
        plate: the original clip.
        results: clips rendered from it.
        style: picture whose style they should have; None measures no style distance.
        matte: of the object: files, one per frame or one for all, or mattes in memory; None
            scores whole frames.
        reference: clip whose detail the results should have; None uses the first of several
            results.
        flow: source of the flow; see :func:`vidstyle.evaluate.judge.choose_judge`.
        flow_size: largest short side, in pixels, that flow is estimated at.
        flow_cache: folder that caches flows for later evaluations; None for no cache.
        flow_cache_size: its limit in MiB.
        reports: of the renders, which name the flow that they used.
        used: flows that the renders are known to have used.
        teacher: perceptual network that style is compared with.
        gaps: distances between the frames of pairs, in frames.
        first, last: frames to score, inclusive; None for the clips' end.
        part: results and matte files contain only these frames.
        cuts: frames that begin a new shot, across which no pair is scored; None detects them.
        step: every nth frame is scored.
        row: of the slices, in pixels from the top; None chooses the middle of the object.
        device: that networks run on.
        fail_above, fail_below: thresholds in the syntax of
            :class:`vidstyle.evaluate.gate.Threshold`.
    """

    plate: str
    results: Sequence[str]
    style: str | None = None
    matte: str | Mattes | None = None
    reference: str | None = None
    flow: str = "auto"
    flow_size: int = 360
    flow_cache: str | None = None
    flow_cache_size: int = DEFAULTS.flow_cache_size
    reports: Sequence[Path] = ()
    used: Sequence[str] = ()
    teacher: str = "auto"
    gaps: Sequence[int] = (1, 10)
    first: int = 0
    last: int | None = None
    part: bool = False
    cuts: Sequence[int] | None = None
    step: int = 1
    row: int | None = None
    device: str = "auto"
    fail_above: Sequence[str] = ()
    fail_below: Sequence[str] = ()


@dataclass
class Evaluation:
    """Numbers and pictures of a comparison.

    Attributes:
        facts: what was compared, and by what, for reports.
        flicker, slices, stills: with pictures in the order of ``scores.clips``.
    """

    scores: Scores
    thresholds: Sequence[Threshold]
    facts: dict[str, str]
    flicker: FlickerMaps
    slices: Slices
    stills: Stills = field(default_factory=Stills)


@torch.inference_mode()
def evaluate(job: Job, progress: Progress) -> Evaluation:
    """Score every result of a job.

    Memory holds only the frames of the longest gap and the scores of each frame.

    Raises:
        UsageError, MediaError, WeightsError, DeviceError: see each part.
    """
    return _Scoring(job).run(progress)


def check_job(job: Job) -> None:
    """Reject what can be checked before the results exist.

    Raises:
        UsageError: a threshold or the flow is invalid.
        WeightsError: the weights of a network for flow or style are missing or corrupt.
        DeviceError: no such device.
    """
    _thresholds(job, _measures(job))
    _judge(job, select_device(job.device), first_number=0)
    if job.style is not None:
        build_perceptual(job.teacher, LAYERS)


class _Scoring:
    def __init__(self, job: Job) -> None:
        if job.last is not None and job.last < job.first:
            raise UsageError(f"--out {job.last}: before --in {job.first}; give a later frame")
        self._job = job
        device = select_device(job.device)
        reference = _reference(job)
        sources = [job.plate, *job.results]
        if reference and reference not in sources:
            sources.append(reference)
        self._reference_at = sources.index(reference) if reference else None
        self._readers = open_alike(sources, part=job.part)
        info = self._readers[0].info
        names = _measures(job)
        thresholds = _thresholds(job, names)
        if job.row is not None and not 0 <= job.row < info.height:
            raise UsageError(f"--row {job.row}: the clips have {info.height} rows, from 0")
        # Flows have the numbers of the frames' files; frames of a video count from 0.
        self._judge = _judge(job, device, info.start_pts if info.is_sequence else 0)
        self._style = None
        if job.style is not None:
            teacher = build_perceptual(job.teacher, LAYERS)
            self._style = StyleDistance(teacher, job.style, info.size, device)
        lpips = build_lpips(info.size, device)
        self._lpips = None if isinstance(lpips, str) else lpips
        scores = Scores([PLATE, *labels(job.results)], names)
        if isinstance(lpips, str):
            scores.missing["lpips"] = lpips
            log.warning("lpips is left out: %s", lpips)
        facts = {
            "plate": job.plate,
            **{f"result {label}": path for label, path in zip(
                scores.clips[1:], job.results, strict=True)},
            "flow": self._judge.name,
            "style": job.style or "none",
            "network of style": self._style.name if self._style else "none",
            "network of LPIPS": self._lpips.name if self._lpips else "none",
            "matte": _told_matte(job.matte),
            "reference of detail": reference or "none",
        }  # fmt: skip
        clips = len(scores.clips)
        self._done = Evaluation(
            scores, thresholds, facts, FlickerMaps(clips, info.size), Slices(job.row or 0)
        )

    def run(self, progress: Progress) -> Evaluation:
        job, done = self._job, self._done
        stop = None if job.last is None else job.last + 1
        cuts = self._cuts(stop, progress)
        done.facts["cuts"] = ", ".join(map(str, cuts)) or "none"
        progress.stage("evaluate", _count(self._readers[0].info, job.first, stop))
        instants = together(self._readers, job.matte, job.first, stop, part=job.part)
        pairs = dict.fromkeys(job.gaps, 0)
        for held in window(instants, max(job.gaps) + 1):
            now = held[-1]
            if now.index == job.first:
                self._begin(now)
            done.slices.add(_of_clips(now, len(done.scores.clips)))
            if (now.index - job.first) % job.step == 0:
                done.scores.begin(now.index)
                self._score_pictures(now)
                for gap in job.gaps:
                    earlier = now.index - gap
                    if gap < len(held) and not any(earlier < cut <= now.index for cut in cuts):
                        self._score_pair(held[-1 - gap], now, gap)
                        pairs[gap] += 1
            progress.advance(1)
        if not done.scores.frames:
            raise UsageError(f"--in {job.first}: {job.plate} has no such frame; give a lower one")
        for gap in (gap for gap, count in pairs.items() if not count):
            reason = "no pair of frames of one shot is that far apart"
            log.warning("gap %d: %s", gap, reason)
            done.scores.missing[f"gap{gap}"] = reason
        return done

    def _cuts(self, stop: int | None, progress: Progress) -> Sequence[int]:
        """Frames that begin a new shot of the plate."""
        if self._job.cuts is not None:
            return self._job.cuts
        plate = self._readers[0]
        progress.stage("cuts", _count(plate.info, self._job.first, stop))

        def watched() -> Iterator[Frame]:
            for frame in plate.frames(self._job.first, stop):
                yield frame
                progress.advance(1)

        return find_cuts(watched())

    def _begin(self, first: Instant) -> None:
        clips = len(self._done.scores.clips)
        self._done.stills.begin(_of_clips(first, clips))
        if self._job.row is None:
            self._done.slices.row = middle_row(first.matte, first.pictures[0].shape[0])

    def _score_pictures(self, now: Instant) -> None:
        scores, regions = self._done.scores, now.regions()
        images = now.images()
        plate = images[:1]
        energies = None if self._reference_at is None else laplacian_energy(images)
        for number, clip in enumerate(scores.clips):
            image = images[number : number + 1]
            values: dict[str, float] = {}
            if self._style:
                for measure, distances in self._style(image, regions).items():
                    values |= {named(measure, name): each for name, each in distances.items()}
            if clip != PLATE:
                similarity, whole = ssim_map(image, plate)
                distance = self._lpips(image, plate) if self._lpips else None
                for name, mask in regions.items():
                    values[named("ssim", name)] = masked_mean(similarity, mask * whole).item()
                    if distance is not None:
                        values[named("lpips", name)] = masked_mean(distance, mask).item()
                    if energies is not None and self._reference_at is not None:
                        own, wanted = energies[number, None], energies[self._reference_at, None]
                        values[named("detail", name)] = detail_of(own, wanted, mask).item()
            scores.put(clip, values)

    def _score_pair(self, earlier: Instant, later: Instant, gap: int) -> None:
        done, clips = self._done, len(self._done.scores.clips)
        images = {each.index: each.images()[:clips] for each in (earlier, later)}
        pair = self._judge.between(
            images[earlier.index][:1], images[later.index][:1], later.index, gap
        )
        here, there = (earlier, later) if pair.from_earlier else (later, earlier)
        flow = pair.flow.expand(clips, -1, -1, -1)
        difference = warped_difference(images[here.index], images[there.index], flow)
        regions = here.regions()
        for name, region in regions.items():
            errors = masked_mean(difference, pair.mask * region)
            for clip, error in zip(done.scores.clips, errors, strict=True):
                values = {
                    named("e_warp", name, gap): error.item(),
                    named("temporal", name, gap): error.sqrt().item(),
                }
                if clip != PLATE:
                    values[named("e_warp_excess", name, gap)] = (error - errors[0]).item()
                    values[named("e_warp_ratio", name, gap)] = (error / errors[0]).item()
                done.scores.put(clip, values)
        if gap == min(self._job.gaps):
            done.flicker.add(difference, pair.mask)
            seen = pair.mask * regions.get(PARTS[0], regions[WHOLE])
            error = masked_mean(difference[1:], seen).mean().item()
            before, now = _of_clips(earlier, clips), _of_clips(later, clips)
            done.stills.add(before, now, error, difference, pair.mask)


def labels(results: Sequence[str]) -> list[str]:
    """Short names of results: the file or folder, with as many parents as make it unique.

    Raises:
        UsageError: a result is given twice.
    """
    if len(set(results)) < len(results):
        raise UsageError(f"{', '.join(results)}: a result is given twice; give each once")
    parts = [Path(result).parts for result in results]
    for depth in range(1, max(map(len, parts)) + 1):
        short = [str(Path(*each[-depth:])) for each in parts]
        if len({*short, PLATE}) > len(short):
            return short
    return list(results)


def _reference(job: Job) -> str | None:
    return job.reference or (job.results[0] if len(job.results) > 1 else None)


def _measures(job: Job) -> list[str]:
    return measure_names(
        job.gaps,
        region_names(job.matte is not None),
        style=job.style is not None,
        detail=_reference(job) is not None,
    )


def _thresholds(job: Job, measures: Sequence[str]) -> list[Threshold]:
    above = [Threshold.parse(text, measures) for text in job.fail_above]
    return above + [Threshold.parse(text, measures, largest=False) for text in job.fail_below]


def _judge(job: Job, device: torch.device, first_number: int) -> Judge:
    cache = FlowCache(Path(job.flow_cache), job.flow_cache_size * 2**20) if job.flow_cache else None
    return choose_judge(
        job.flow,
        flows_used(job.reports).union(job.used),
        device=device,
        flow_size=job.flow_size,
        first_number=first_number,
        cache=cache,
    )


def _told_matte(matte: str | Mattes | None) -> str:
    if matte is None:
        return "none"
    return matte if isinstance(matte, str) else "the render's own"


def _of_clips(instant: Instant, count: int) -> Instant:
    """Without the reference."""
    return Instant(instant.index, instant.pictures[:count], instant.matte)


def _count(info: ClipInfo, first: int, stop: int | None) -> int:
    known = [each for each in (info.frame_count, stop) if each is not None]
    return max(0, min(known) - first) if known else 0
