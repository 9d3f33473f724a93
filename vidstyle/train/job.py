"""``vidstyle train``: from data folders to the model's folder, phase by phase."""

import copy
import logging
import shutil
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from vidstyle.errors import UsageError
from vidstyle.media.video.clip import ClipReader
from vidstyle.motion.build import build_flow
from vidstyle.perceptual.network import PerceptualNetwork, build_perceptual
from vidstyle.runtime.atomic import replacing_folder
from vidstyle.runtime.device import select_device
from vidstyle.runtime.leftovers import sweep
from vidstyle.runtime.progress import Progress
from vidstyle.style.build import build_network, model_identity
from vidstyle.style.micro import MicroNetwork
from vidstyle.style.stylizer import Stylizer
from vidstyle.train.backbone import load_backbone
from vidstyle.train.card import Made, write_card
from vidstyle.train.checkpoint import has_checkpoint, load_checkpoint
from vidstyle.train.config import Phase, StyleConfig, TrainConfig, flat, write_config
from vidstyle.train.data import Crops, Sources, Split, TrainingData, read_data
from vidstyle.train.distil import DistilObjective
from vidstyle.train.growth import grown
from vidstyle.train.lessons import LessonWriter, renew
from vidstyle.train.loop import Trained, build_accelerator, train
from vidstyle.train.objective import Objective
from vidstyle.train.pairs import Pair, VideoPairs
from vidstyle.train.save import check_model_folder, save_model
from vidstyle.train.style import DrawMoving, StyleData, StyleObjective

PHASES = ("distil", "style")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainJob:
    """One run.

    Attributes:
        minutes: total training time; 0 for no limit. The first of two phases may use up to half.
        work: folder for checkpoints and records.
        output: the model's folder.
        resume: continue from the checkpoints in ``work``.
        overwrite: replace ``output`` and, without ``resume``, an earlier run in ``work``.
    """

    sources: Sources
    config: TrainConfig
    work: Path
    output: Path
    minutes: float = 0.0
    resume: bool = False
    overwrite: bool = False


def run(job: TrainJob, progress: Progress) -> None:
    """Train a model and write its folder atomically.

    Raises:
        UsageError: an output exists, the recipe is invalid, or the run diverges.
        MediaError: the data cannot be used.
        WeightsError: the teacher's or the encoder's weights are missing.
        Cancelled: interrupted by a signal; ``resume`` continues.
    """
    check_model_folder(job.output, job.overwrite)
    sweep(job.output.parent)
    accelerator = build_accelerator(select_device(job.config.run.device), job.config.run.precision)
    _clear_work(job, accelerator)
    config = job.config
    data = read_data(job.sources, config.data)
    perceptual = build_perceptual(config.perceptual)
    network = _start(config)
    config = replace(config, architecture=network.architecture)
    trained: dict[str, Trained] = {}
    decisive = {name: _decisive(config, name, perceptual, data) for name in PHASES}
    # Training the first phase further would change what the second has started from.
    is_second_begun = config.style.steps > 0 and has_checkpoint(job.work / "style")
    for name in PHASES:  # before lessons are replaced by those of another run
        if getattr(config, name).steps:
            load_checkpoint(job.work / name, decisive[name])
    for name in PHASES:
        phase: Phase = getattr(config, name)
        if not phase.steps:
            log.info("%s: left out", name)
            continue
        began_with = copy.deepcopy(network)
        network.requires_grad_(True)
        objective: Objective
        if name == "distil":
            objective = _distilling(job, network, perceptual, data, config, accelerator, progress)
        else:
            objective = _painting(network, perceptual, data, config)
        trained[name] = train(
            objective,
            replace(phase, minutes=_minutes(job, name, trained)),
            job.work / name,
            accelerator,
            name=name,
            average=config.average,
            run=config.run,
            config=decisive[name],
            is_over=name == "distil" and is_second_begun,
            progress=progress,
        )
        network = trained[name].network
        _go_back(network, began_with, phase.keep)
    if accelerator.is_main_process:
        _write(job, config, network, perceptual.to(accelerator.device), data, trained, accelerator)


@torch.no_grad()
def _go_back(network: MicroNetwork, before: MicroNetwork, part: float) -> None:
    """Interpolate weights by the fraction ``part`` back to the previous ones."""
    for now, then in zip(network.parameters(), before.parameters(), strict=True):
        now.lerp_(then.to(now), part)


def _clear_work(job: TrainJob, accelerator: Accelerator) -> None:
    begun = [job.work / name for name in PHASES if has_checkpoint(job.work / name)]
    if begun and not (job.resume or job.overwrite):
        raise UsageError(
            f"{begun[-1]}: holds the checkpoint of a run; give --resume to go on from it, or "
            "--overwrite to start again"
        )
    # No process may delete before all have looked.
    accelerator.wait_for_everyone()
    if accelerator.is_main_process and not job.resume:
        # Lessons and records too, which are there before the first checkpoint.
        for name in PHASES:
            if (job.work / name).exists():
                shutil.rmtree(job.work / name)
    accelerator.wait_for_everyone()


def _start(config: TrainConfig) -> MicroNetwork:
    """The initial network, on the CPU."""
    if config.start:
        started, _ = build_network(config.start)
        if not isinstance(started, MicroNetwork):
            raise UsageError(f"start = {config.start}: cannot be trained; name a folder")
        return grown(started, config.grow)
    torch.manual_seed(config.seed)
    network = MicroNetwork(config.architecture)
    load_backbone(network)
    return network


def _distilling(
    job: TrainJob,
    network: MicroNetwork,
    perceptual: PerceptualNetwork,
    data: TrainingData,
    config: TrainConfig,
    accelerator: Accelerator,
    progress: Progress,
) -> DistilObjective:
    """The first phase's objective; writes its lessons."""
    folder, wanted = job.work / "distil" / "lessons", config.distil.lessons
    kept = config.validation
    progress.stage("lessons", wanted.count + kept)
    lessons = []
    # One process writes them; the others then find them all.
    with accelerator.main_process_first():
        teacher, ridge = build_network(config.teacher)
        made_from = {
            "teacher": [model_identity(config.teacher), ridge],
            "start": config.start and model_identity(config.start),
            "seed": config.seed,
            "channels": network.channels,
            "data": [data.digest, asdict(config.data)],
            # Of more lessons, the first ones are the same.
            "lessons": asdict(wanted) | {"count": None},
        }
        renew(folder, made_from)
        writer = LessonWriter(
            teacher,
            ridge,
            network.channels,
            wanted,
            seed=config.seed,
            device=accelerator.device,
            student=network if config.start else None,
            half=accelerator.mixed_precision == "bf16",
        )
        for part, count in (("train", wanted.count), ("held_out", kept)):
            photographs, paintings = (
                Crops([getattr(split, part)], wanted.side, wanted.zoom)
                for split in (data.content, data.styles)
            )
            lessons.append(
                writer.write(folder / part, photographs, paintings, count, progress.advance)
            )
    learned, held_out = lessons
    return DistilObjective(
        *(network, perceptual, learned, held_out, config.distil),
        seed=config.seed,
        items=config.validation,
    )


def _painting(
    network: MicroNetwork, perceptual: PerceptualNetwork, data: TrainingData, config: TrainConfig
) -> StyleObjective:
    if config.style.weights.domain > 0 and data.domain is None:
        raise UsageError("style.weights.domain is set, but no --domain DIR is given; give one")
    torch.manual_seed(config.seed)  # the objective's own modules start at random
    return StyleObjective(
        network,
        perceptual,
        config.style,
        _style_data(data, config, "train"),
        _style_data(data, config, "held_out"),
        ridge=config.ridge,
        seed=config.seed,
        items=config.validation,
    )


def _style_data(data: TrainingData, config: TrainConfig, part: str) -> StyleData:
    """The second phase's data: ``part`` is train or held_out."""
    style = config.style

    def crops(split: Split) -> Crops:
        return Crops([getattr(split, part)], style.side, style.zoom)

    return StyleData(
        contents=crops(data.content).plain,
        styles=crops(data.styles).varied,
        moving=_moving(getattr(data.clips, part), style, config) if data.clips else None,
        domain=crops(data.domain).plain if data.domain else None,
    )


def _moving(clips: list[ClipReader], style: StyleConfig, config: TrainConfig) -> DrawMoving:
    side = config.data.video_side
    # Pairs are drawn on the CPU by several processes, which suits DIS.
    flow = build_flow("dis", torch.device("cpu"), side)
    pairs = VideoPairs(
        clips, flow, side=style.side, short_side=side, zoom=style.zoom, gaps=style.gaps
    )
    return partial(_frames_of, pairs)


def _frames_of(pairs: VideoPairs, random: np.random.Generator) -> tuple[Tensor, list[Pair]]:
    history = pairs.history(random)
    return history[0].after, history


def _minutes(job: TrainJob, name: str, trained: dict[str, Trained]) -> float:
    """The phase's time limit: its own from the recipe, or its share of the run's."""
    phase: Phase = getattr(job.config, name)
    if not job.minutes:
        return phase.minutes
    if name == "distil":
        return job.minutes / 2 if job.config.style.steps else job.minutes
    spent = sum(each.seconds for each in trained.values()) / 60
    return max(job.minutes - spent, 0.01)


def _decisive(
    config: TrainConfig, name: str, perceptual: PerceptualNetwork, data: TrainingData
) -> dict[str, Any]:
    """The settings that a phase's checkpoint must match. Time limit, machine and settings that only
    the other phase reads may differ."""
    table = flat(asdict(replace(config, perceptual=perceptual.name)))
    free = "run.", "licence", *(f"{other}." for other in PHASES if other != name)
    kept = {key: value for key, value in table.items() if not key.startswith(free)}
    kept.pop(f"{name}.minutes")
    kept.pop(f"{name}.keep")  # applied after training
    return {**kept, "data": data.digest}


def _write(
    job: TrainJob,
    config: TrainConfig,
    network: MicroNetwork,
    perceptual: PerceptualNetwork,
    data: TrainingData,
    trained: dict[str, Trained],
    accelerator: Accelerator,
) -> None:
    began = time.monotonic()
    with replacing_folder(job.output) as folder:
        save_model(folder, network, config.ridge, config.licence)
        write_config(config, folder / "training.toml")
        made = Made(
            name=job.output.name,
            config=config,
            sources=job.sources,
            data=data,
            perceptual=perceptual,
            trained=trained,
            records={name: job.work / name for name in trained},
            processes=accelerator.num_processes,
        )
        write_card(folder, made, Stylizer(network, accelerator.device, config.ridge))
    log.info("%s: written; its card took %.0f s", job.output, time.monotonic() - began)
