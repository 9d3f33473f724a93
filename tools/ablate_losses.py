"""The effect of each loss: short runs with and without it, scored on held-out pictures.

    OMP_NUM_THREADS=1 python tools/ablate_losses.py --content ../shared/data/content \\
        --styles ../shared/data/style --videos ../shared/data/davis

Every run starts from the bundled model's encoder and decoder and trains decoder and attention for a
given number of steps on ``masked_gram`` and ``content``, with one term added or removed. Each row
shows the term's own measure without and with it, next to the style distance (Gram, the term
``masked_gram``). All are unweighted terms on held-out items, except ``domain``: the distance
between the encoder's mean features of photographs and of paintings, relative to their spread.

Photographs get an upright oval as a mask, so that there is an inside and an outside.
"""

import logging
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import default_collate

from vidstyle.motion.build import build_flow
from vidstyle.perceptual.network import PerceptualNetwork, build_perceptual
from vidstyle.runtime.progress import Silence
from vidstyle.style.build import BUNDLED, build_network
from vidstyle.style.micro import MicroNetwork
from vidstyle.train.config import RunConfig, StyleConfig, StyleWeights, flat
from vidstyle.train.data import Crops, Pictures, find_pictures
from vidstyle.train.loop import build_accelerator, train
from vidstyle.train.pairs import Pair, VideoPairs, find_clips
from vidstyle.train.style import Draw, DrawMoving, StyleData, StyleObjective

NOTHING = StyleWeights(**dict.fromkeys(asdict(StyleWeights()), 0.0))
BASE = replace(NOTHING, masked_gram=1.0, content=0.15)
SEED = 11

#: The weight that each term is tried with, on top of the base.
TRIED = {
    "masked_mean_std": 1.0,
    "outside": 5.0,
    "temporal": 20.0,
    "feature_temporal": 5.0,
    "long_term": 10.0,
    "compound": 10.0,
    "contrastive": 0.2,
    "total_variation": 20.0,
    "laplacian": 5.0,
    "gradient": 5.0,
    "structure": 1.0,
    "domain": 0.5,
}


@dataclass(frozen=True)
class Bench:
    """State shared by all runs."""

    teacher: PerceptualNetwork
    train: StyleData
    held_out: StyleData
    steps: int
    side: int
    items: int
    ridge: float

    def objective(self, network: MicroNetwork, weights: StyleWeights) -> StyleObjective:
        torch.manual_seed(SEED)
        config = StyleConfig(
            steps=self.steps, batch=2, side=self.side, warm_up=5, rise=0.0, gaps=(1, 4),
            weights=weights,
        )  # fmt: skip
        return StyleObjective(
            network, self.teacher, config, self.train, self.held_out,
            ridge=self.ridge, seed=SEED, items=self.items,
        )  # fmt: skip

    def trained(self, weights: StyleWeights, attention: int = 16) -> MicroNetwork:
        """The network after a short run."""
        network = started(attention)
        objective = self.objective(network, weights)
        with tempfile.TemporaryDirectory() as folder:
            return train(
                objective,
                objective.config,
                Path(folder),
                build_accelerator(torch.device("cpu")),
                name="ablation",
                average=0.9,
                run=RunConfig(device="cpu", workers=0),
                config=flat(asdict(objective.config)),
                progress=Silence(),
            ).network

    @torch.inference_mode()
    def measured(self, network: MicroNetwork) -> dict[str, float]:
        """Every term on the held-out items."""
        everything = StyleWeights(**dict.fromkeys(asdict(NOTHING), 1.0))
        objective = self.objective(network, replace(everything, domain=0.0)).eval()
        # Plain differences: after a short run the projections have not learned anything useful.
        objective.projectors = nn.ModuleList([nn.Identity(), nn.Identity()])
        totals: dict[str, list[float]] = {}
        for item in objective.held_out():
            for name, term in objective(default_collate([item])).items():
                totals.setdefault(name, []).append(float(term))
        return {name: float(np.mean(each)) for name, each in totals.items()} | {
            "domain": self._gap(network)
        }

    def _gap(self, network: MicroNetwork) -> float:
        """Squared distance of two domains' mean features over their variance."""
        random = np.random.default_rng(SEED)
        domain = self.held_out.domain
        assert domain is not None
        seen = [
            torch.stack([network.encode(draw(random)[None, :3]).mean((0, 2, 3))
                         for _ in range(24)])
            for draw in (self.held_out.contents, domain)
        ]  # fmt: skip
        spread = torch.stack([each.var(0) for each in seen]).mean(0)
        return float(((seen[0].mean(0) - seen[1].mean(0)).square() / spread).mean())


def started(attention: int) -> MicroNetwork:
    """The bundled model, with fresh attention or none."""
    bundled, _ = build_network(BUNDLED)
    assert isinstance(bundled, MicroNetwork)
    torch.manual_seed(SEED)
    network = MicroNetwork(replace(bundled.architecture, attention=attention))
    weights = {
        name: tensor
        for name, tensor in bundled.state_dict().items()
        if not name.startswith("attention.")
    }
    network.load_state_dict(weights, strict=False)
    return network


def with_oval(draw: Draw, side: int) -> Draw:
    """Crops with an oval for a mask."""
    oval = _oval(side)
    return lambda random: torch.cat([draw(random), oval])


def moving(pairs: VideoPairs, side: int) -> DrawMoving:
    oval = _oval(side)

    def draw(random: np.random.Generator) -> tuple[Tensor, list[Pair]]:
        history = pairs.history(random)
        return torch.cat([history[0].after, oval]), history

    return draw


def _oval(side: int) -> Tensor:
    """(1, side, side)"""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    return torch.from_numpy((y**2 / 0.7 + x**2 / 0.4 < 1).astype(np.float32))[None]


def data(content: Path, styles: Path, videos: Path, side: int, part: int) -> StyleData:
    """One half of the pictures and clips: even ones are trained on, odd ones held out."""

    def crops(folder: Path, short_side: int) -> Crops:
        files = find_pictures(folder)[part::2]
        return Crops([Pictures(files, short_side, framed=folder == styles)], side, (0.8, 2.0))

    clips = find_clips(videos)[part::2]
    flow = build_flow("dis", torch.device("cpu"), 256)
    pairs = VideoPairs(
        clips, flow, side=side, short_side=256, zoom=(0.8, 1.6), gaps=(1, 4), places=6
    )
    return StyleData(
        contents=with_oval(crops(content, 400).plain, side),
        styles=crops(styles, 512).plain,
        moving=moving(pairs, side),
        domain=crops(styles, 400).plain,
    )


def row(name: str, without: Mapping[str, float], having: Mapping[str, float], own: str) -> str:
    change = 100 * (having[own] / without[own] - 1)
    style = 100 * (having["masked_gram"] / without["masked_gram"] - 1)
    values = f"{without[own]:.4f} | {having[own]:.4f}"
    return f"| {name} | {own} | {values} | {change:+.0f}% | {style:+.0f}% |"


@click.command(help=__doc__)
@click.option("--content", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--styles", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--videos", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--teacher", default="auto", show_default=True)
@click.option("--steps", default=60, show_default=True)
@click.option("--side", default=128, show_default=True)
@click.option("--items", default=16, show_default=True, help="Held-out items.")
@click.option("--only", multiple=True, help="Of the terms; all by default.")
def main(
    content: Path,
    styles: Path,
    videos: Path,
    teacher: str,
    steps: int,
    side: int,
    items: int,
    only: tuple[str, ...],
) -> None:
    logging.basicConfig(level=logging.WARNING)
    halves = [data(content, styles, videos, side, part) for part in (0, 1)]
    _, ridge = build_network(BUNDLED)
    bench = Bench(build_perceptual(teacher), halves[0], halves[1], steps, side, items, ridge)
    click.echo("| loss | its measure | without | with | change | style distance |")
    click.echo("|---|---|---|---|---|---|")
    base = bench.measured(bench.trained(BASE))
    for name in ("content", "masked_gram"):
        if not only or name in only:
            less = bench.measured(bench.trained(replace(BASE, **{name: 0.0})))
            click.echo(row(name, less, base, name))
    for name, weight in TRIED.items():
        if not only or name in only:
            more = bench.measured(bench.trained(replace(BASE, **{name: weight})))
            click.echo(row(name, base, more, name))
    if not only or "attention" in only:
        blind = bench.measured(bench.trained(BASE, attention=0))
        for own in ("masked_gram", "content", "temporal"):
            click.echo(row("attention", blind, base, own))


if __name__ == "__main__":
    main()
