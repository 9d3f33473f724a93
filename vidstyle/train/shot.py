"""Fine-tune a model to one shot, one object and one style, for hero shots.

Decoder and attention are trained further on this shot's frames and this style only, with the
temporal loss between neighbouring frames and style measured over the object alone.
"""

import logging
import shutil
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vidstyle.errors import MediaError, ObjectNotFoundError, UsageError
from vidstyle.media.colour_management import manage
from vidstyle.media.frame import unit_range
from vidstyle.media.video.reader import open_clip
from vidstyle.motion.build import build_flow
from vidstyle.motion.estimator import FlowEstimator
from vidstyle.motion.occlusion import valid
from vidstyle.options import DEFAULTS
from vidstyle.perceptual.network import build_perceptual
from vidstyle.pipeline.analysis import Paint, Take, analyse, find_take, read_style, style_picture
from vidstyle.pipeline.parts import build_parts
from vidstyle.runtime.atomic import replacing_folder
from vidstyle.runtime.device import select_device
from vidstyle.runtime.progress import Progress
from vidstyle.runtime.scratch import temporary_folder
from vidstyle.segment.mattes.store import Mattes
from vidstyle.segment.prompts import parse_object
from vidstyle.style.micro import MicroNetwork
from vidstyle.style.stylizer import Stylizer
from vidstyle.train.card import curves
from vidstyle.train.config import StyleConfig, StyleWeights, TrainConfig, flat
from vidstyle.train.loop import Trained, build_accelerator, train
from vidstyle.train.pairs import Pair
from vidstyle.train.record import read_curves
from vidstyle.train.save import save_model
from vidstyle.train.style import StyleData, StyleObjective

#: Number of frame pairs, spread over the frames that show the object.
PAIRS = 24

#: One pair in this many is held out for validation.
HELD_OUT = 6

#: Loss weights, unless the recipe overrides them: real instead of synthetic motion.
WEIGHTS = StyleWeights(content=0.15, masked_gram=1.0, temporal=10.0, compound=0.0)

#: A trained model is fine-tuned gently.
RATE = 3e-4

#: Warm-up steps: a few minutes of training have few steps.
WARM_UP = 5

#: More and quicker steps: with one style and one shot, gradients vary little.
BATCH = 2

#: Side of style crops, in multiples of that of frame crops: small ones differ in style.
STYLE_SIDES = 2

log = logging.getLogger(__name__)


def tune_shot(
    source: str,
    object: str | None,
    style: str,
    *,
    model: str,
    minutes: float,
    config: TrainConfig,
    work: Path,
    output: Path,
    progress: Progress,
) -> None:
    """Fine-tune ``model`` for ``minutes`` and write the result's folder.

    Args:
        source: the clip; object: in the syntax of ``--object``, None for the whole frame.
        style: the picture.
        config: its style phase is the recipe; weights and rate at their defaults are replaced by
            :data:`WEIGHTS` and :data:`RATE`.
        work: for checkpoints and curves; those of an earlier run are deleted.

    Raises:
        VidstyleError: as for ``render``; UsageError also if the run diverges.
    """
    accelerator = build_accelerator(select_device(config.run.device), config.run.precision)
    spec = None if object is None else parse_object(object)
    options = replace(DEFAULTS, model=model, device=config.run.device, temporal="off")
    reader = open_clip(source)
    if spec is not None:
        spec.check_inside(reader.info.size)
    picture = style_picture(style, reader.info.size)
    parts = build_parts(options, [spec])
    perceptual = build_perceptual(config.perceptual)
    folder = work / "shot"
    shutil.rmtree(folder, ignore_errors=True)
    with temporary_folder() as mattes:
        take = find_take(reader, options, manage(reader.info, None), progress)
        found = analyse(
            take,
            spec,
            Paint(read_style(style, take.size, parts.stylizer)),
            parts,
            options,
            mattes,
            progress,
        )
        pairs = read_pairs(take, found.mattes)
    stylizer = parts.stylizer.model
    if not isinstance(stylizer, Stylizer):
        raise UsageError(f"--model {model}: a plug-in, which cannot be trained; name a folder")
    network = stylizer.network
    if not isinstance(network, MicroNetwork):
        raise UsageError(f"--model {model}: cannot be trained; name a folder, or micro")
    network.requires_grad_(True)
    phase = _recipe(config.style, take.size, picture, minutes)
    estimator = build_flow("dis", torch.device("cpu"), options.flow_size)
    train_pairs, kept = _divided(pairs)
    objective = StyleObjective(
        network,
        perceptual,
        phase,
        _data(train_pairs, picture, phase.side, estimator),
        _data(kept, picture, phase.side, estimator),
        ridge=stylizer.ridge,
        seed=config.seed,
        items=config.validation,
    )
    trained = train(
        objective,
        phase,
        folder,
        accelerator,
        name="tune",
        average=config.average,
        run=config.run,
        config=flat(asdict(phase)),
        progress=progress,
    )
    if accelerator.is_main_process:
        with replacing_folder(output) as made:
            save_model(made, trained.network, stylizer.ridge, config.licence)
            about = f"{object or 'the whole frame'} of {Path(source).name} in {Path(style).name}"
            card = _card(output.name, about, model, perceptual.name, trained, folder)
            (made / "README.md").write_text(card, encoding="utf-8")


@dataclass(frozen=True)
class FramePair:
    """Two neighbouring frames.

    Attributes:
        before, after: (H, W, 3) uint8 or uint16.
        matte: of ``after``, (H, W) uint8, 255 inside.
    """

    before: Tensor
    after: Tensor
    matte: Tensor


def read_pairs(take: Take, mattes: Mattes) -> list[FramePair]:
    """Pairs of neighbouring frames, none across a cut, spread over those that show the object.

    Raises:
        ObjectNotFoundError: no two neighbouring frames show it.
        MediaError: the shot is a single picture.
    """
    seen = [
        number
        for shot in take.shots
        for number in range(shot.start + 1, shot.stop)
        if (mattes[number] > 127).any()
    ]
    if take.frame_count < 2:
        raise MediaError(f"{take.reader.info.path}: one picture is no shot; tune on a clip")
    if not seen:
        raise ObjectNotFoundError(
            f"{take.reader.info.path}: the object is in no two neighbouring frames; "
            "name another, or give its box or mask"
        )
    places = np.linspace(0, len(seen) - 1, min(PAIRS, len(seen))).round().astype(int)
    wanted = {seen[place] for place in places}
    pairs, before = [], None
    for frame in take.frames(take.start):
        if frame.index in wanted and before is not None:
            matte = torch.from_numpy(mattes[frame.index].copy())
            pairs.append(FramePair(before.image, frame.image, matte))
        before = frame
    return pairs


def _divided(pairs: list[FramePair]) -> tuple[list[FramePair], list[FramePair]]:
    """Training and held-out pairs; very short shots use the same pairs for both."""
    if len(pairs) < HELD_OUT:
        return pairs, pairs
    kept = pairs[HELD_OUT // 2 :: HELD_OUT]
    return [pair for pair in pairs if all(pair is not other for other in kept)], kept


def _data(
    pairs: list[FramePair], picture: Tensor, side: int, estimator: FlowEstimator
) -> StyleData:
    moving = partial(_crop_of_shot, pairs, side, estimator)
    return StyleData(
        contents=partial(_still, moving),
        styles=partial(_crop_of_style, picture, side),
        moving=moving,
    )


def _still(moving: partial[tuple[Tensor, list[Pair]]], random: np.random.Generator) -> Tensor:
    return moving(random)[0]


def _crop_of_shot(
    pairs: list[FramePair], side: int, estimator: FlowEstimator, random: np.random.Generator
) -> tuple[Tensor, list[Pair]]:
    """A crop of a frame around a random point of the object, with its matte, and the pair."""
    pair = pairs[int(random.integers(len(pairs)))]
    height, width = pair.matte.shape
    inside = pair.matte.gt(127).nonzero()
    row, column = inside[int(random.integers(len(inside)))].tolist()
    jitter = random.integers(-side // 4, side // 4 + 1, 2)
    top = int(np.clip(row - side // 2 + jitter[0], 0, height - side))
    left = int(np.clip(column - side // 2 + jitter[1], 0, width - side))
    rows, columns = slice(top, top + side), slice(left, left + side)
    before, after = (unit_range(frame[rows, columns]) for frame in (pair.before, pair.after))
    flow = estimator(after[None], before[None])
    trusted = valid(estimator(before[None], after[None]), flow)
    matte = pair.matte[rows, columns].float()[None] / 255
    return torch.cat([after, matte]), [Pair(before, after, flow[0], trusted[0])]


def _crop_of_style(picture: Tensor, side: int, random: np.random.Generator) -> Tensor:
    """A crop at the scale used for rendering, to match the size of strokes."""
    height, width = picture.shape[-2:]
    side = min(STYLE_SIDES * side, height // 8 * 8, width // 8 * 8)
    top, left = random.integers(height - side + 1), random.integers(width - side + 1)
    return picture[0, :, top : top + side, left : left + side].contiguous()


def _recipe(
    style: StyleConfig, size: tuple[int, int], picture: Tensor, minutes: float
) -> StyleConfig:
    """The style phase adapted to this shot."""
    defaults = StyleConfig()
    largest = min(*size, *picture.shape[-2:]) // 8 * 8
    if largest < 32:
        raise MediaError(f"{size[1]}x{size[0]}: too small to tune on; frames need 32 pixels")
    return replace(
        style,
        minutes=minutes,
        steps=1_000_000 if style.steps == defaults.steps else style.steps,
        rise=0.0,  # the model is already trained
        warm_up=min(style.warm_up, WARM_UP),
        side=min(style.side, largest),
        batch=BATCH if style.batch == defaults.batch else style.batch,
        rate=RATE if style.rate == defaults.rate else style.rate,
        weights=WEIGHTS if style.weights == defaults.weights else style.weights,
    )


def _card(
    name: str, about: str, model: str, perceptual: str, trained: Trained, records: Path
) -> str:
    return f"""# {name}

{model}, tuned to one shot: {about}. Expect nothing of it elsewhere.

{trained.steps} steps in {trained.seconds / 60:.1f} minutes; pictures were compared by {perceptual}.

{curves("tune", read_curves(records))}"""
