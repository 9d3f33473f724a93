"""Score style models: how near the style, how near the plate, how steady.

    OMP_NUM_THREADS=1 python tools/bench_style.py --styles ../shared/data/style \\
        --model micro ../shared/data/davis/*/frames

For every clip and style, whole frames at strength 1 with statistics frozen over the clip:

distance  of Gram matrices to the style picture's, ‖Go − Gs‖² / ‖Gs‖², mean over the teacher's
          relu1_1, relu2_1 and relu3_1
SSIM      to the plate
E_warp    of neighbouring frames with no temporal step, in 1e-4 of a squared range of 1, by DIS
          flow of the plates, which nothing in these renders has used

``plate`` is the clip itself. ``held out`` are the means over the styles named by ``--held-out``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from levels import levels, parsed
from skimage.metrics import structural_similarity
from torch import Tensor

from vidstyle.evaluate.metrics import warping_error
from vidstyle.flow import FlowEstimator, valid
from vidstyle.flow.build import build_flow
from vidstyle.style.build import build_stylizer
from vidstyle.style.pyramid import SCALES
from vidstyle.style.stylizer import Stylizer
from vidstyle.train.data import read_folder
from vidstyle.train.losses.style import gram, gram_distance
from vidstyle.train.teacher import Teacher, build_teacher
from vidstyle.video.reader import open_clip

LAYERS = ("relu1_1", "relu2_1", "relu3_1")
SAMPLES = 2
"""Frames of a clip that statistics are gathered from."""
STYLE_SIDE = 512
"""Shorter side of the style pictures, in pixels."""


@dataclass(frozen=True)
class Footage:
    """Frames of a clip, and how its neighbours move.

    Attributes:
        sampled: (K, 3, H, W) in [0, 1], spread over the clip: statistics are gathered from them.
        before, now: (N, 3, H, W), neighbours.
        flow: (N, 2, H, W) in pixels, from ``now`` back to ``before``.
        mask: (N, 1, H, W), 1 where it holds.
    """

    sampled: Tensor
    before: Tensor
    now: Tensor
    flow: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Score:
    """Means over frames; ``warp`` in 1e-4."""

    distance: float
    ssim: float
    warp: float


def read(clip: str, pairs: int, estimator: FlowEstimator) -> Footage:
    """Pairs of neighbours, spread evenly over a clip."""
    frames = [frame.image for frame in open_clip(clip).frames()]
    starts = np.linspace(0, len(frames) - 2, pairs + 2).round().astype(int)[1:-1]
    spread = np.linspace(0, len(frames) - 1, SAMPLES + 2).round().astype(int)[1:-1]

    def stacked(numbers: Sequence[int]) -> Tensor:
        return torch.stack([frames[number] for number in numbers]).movedim(-1, 1).float() / 255

    before, now = stacked(list(starts)), stacked(list(starts + 1))
    forward, backward = estimator(before, now), estimator(now, before)
    return Footage(stacked(list(spread)), before, now, backward, valid(forward, backward))


@torch.inference_mode()
def score(
    results: tuple[Tensor, Tensor], footage: Footage, wanted: dict[str, Tensor], teacher: Teacher
) -> Score:
    """Of restyled pairs (``before`` and ``now``)."""
    before, now = results
    distances, kept = [], []
    for plate, result in zip(footage.now, now, strict=True):
        seen = teacher(result[None])
        distances.append([float(gram_distance(gram(seen[at]), wanted[at])) for at in LAYERS])
        ssim = structural_similarity(plate.numpy(), result.numpy(), channel_axis=0, data_range=1.0)
        kept.append(float(ssim))
    warp = warping_error(now, before, footage.flow, footage.mask).nanmean()
    return Score(float(np.mean(distances)), float(np.mean(kept)), 1e4 * float(warp))


def restyle(stylizer: Stylizer, footage: Footage, style: Tensor) -> tuple[Tensor, Tensor]:
    """The pairs in a style, (N, 3, H, W) twice."""
    samples = [(plate[None], torch.ones_like(plate[None, :1])) for plate in footage.sampled]
    transfers = stylizer.transfer(lambda: samples, stylizer.style(style))
    return stylizer(footage.before, transfers), stylizer(footage.now, transfers)


def mean(scores: Sequence[Score]) -> Score:
    return Score(*np.mean([[s.distance, s.ssim, s.warp] for s in scores], axis=0))


@click.command(help=__doc__)
@click.argument("clips", nargs=-1, required=True)
@click.option(
    "--styles",
    "folder",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option("--model", "models", multiple=True, default=("micro",), show_default=True)
@click.option("--teacher", default="auto", show_default=True, help="As in `vidstyle train`.")
@click.option("--held-out", multiple=True, help="Stem of a style kept out of training.")
@click.option("--only", multiple=True, help="Stem of a style; all by default.")
@click.option("--pairs", default=1, show_default=True, help="Of neighbours, in each clip.")
@click.option("--scales", default=",".join(map(str, SCALES)), show_default=True,
              help="Levels of the pyramid.")  # fmt: skip
def main(
    clips: tuple[str, ...],
    folder: Path,
    models: tuple[str, ...],
    teacher: str,
    held_out: tuple[str, ...],
    only: tuple[str, ...],
    pairs: int,
    scales: str,
) -> None:
    eyes = build_teacher(teacher, LAYERS)
    styles = {
        name: picture[None].float() / 255
        for name, picture in read_folder(folder, STYLE_SIDE).items()
        if not only or name in only
    }
    with torch.inference_mode():
        wanted = {
            name: {at: gram(seen) for at, seen in eyes(picture).items()}
            for name, picture in styles.items()
        }
    estimator = build_flow("dis", torch.device("cpu"), 540)
    stylizers = {model: build_stylizer(model, torch.device("cpu")) for model in models}
    scores: dict[tuple[str, str], list[Score]] = {}
    for clip in clips:
        footage = read(clip, pairs, estimator)
        for name, style in styles.items():
            plain = score((footage.before, footage.now), footage, wanted[name], eyes)
            scores.setdefault(("plate", name), []).append(plain)
            for model, stylizer in stylizers.items():
                with levels(parsed(scales)):
                    restyled = restyle(stylizer, footage, style)
                found = score(restyled, footage, wanted[name], eyes)
                scores.setdefault((model, name), []).append(found)
    for model in ("plate", *models):
        click.echo(f"\n{model}\n{'style':<28}distance   SSIM   E_warp")
        by_style = {name: mean(scores[model, name]) for name in styles}
        rows = {**by_style, "all": mean(list(by_style.values()))}
        if held_out:
            rows["trained on"] = mean([s for name, s in by_style.items() if name not in held_out])
            rows["held out"] = mean([s for name, s in by_style.items() if name in held_out])
        for name, row in rows.items():
            click.echo(f"{name:<28}{row.distance:8.3f} {row.ssim:6.3f} {row.warp:8.1f}")


if __name__ == "__main__":
    main()
