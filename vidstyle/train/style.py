"""The second phase: train decoder and attention end to end with style losses.

The closed-form maps already give a style's colour, contrast and much of its texture. The rest is
learned here with the losses of feed-forward style transfer (Johnson 2016, Huang 2017), each with
its own weight (:class:`vidstyle.train.config.StyleWeights`). The encoder stays frozen as it was
distilled, except for the domain-adversarial term: training it under maps that are computed from
its own features is unstable.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from vidstyle.motion.warp import warp
from vidstyle.perceptual.network import PerceptualNetwork
from vidstyle.perceptual.receptive import eroded
from vidstyle.perceptual.statistics import Moments, gram, gram_distance, moment_distance, moments
from vidstyle.style.micro import MicroNetwork
from vidstyle.style.painting import painted, painted_each
from vidstyle.train.config import StyleConfig, StyleWeights
from vidstyle.train.losses import content as keeping
from vidstyle.train.losses import preserving
from vidstyle.train.losses import temporal as steadying
from vidstyle.train.losses.adversarial import DomainClassifier, domain_loss, reversal_strength
from vidstyle.train.objective import Objective, Sample
from vidstyle.train.pairs import Pair, SyntheticMotion

#: Terms whose weight ramps up over the first part of the run.
RISING = ("gram", "mean_std", "masked_gram", "masked_mean_std")

#: Lower bound on a style's energy, as a fraction of the median: nearly empty crops of style
#: pictures would otherwise have enormous relative distances.
FLOOR = 0.2

#: Number of style crops that the median energies are measured on.
FLOOR_SAMPLES = 24

#: Number of cells whose differences to their neighbours the contrastive term compares.
ANCHORS = 64

#: Independent random streams.
_TRAINING, _HELD_OUT, _MEASURING = 1, 2, 3


#: Draws a crop, (3, side, side) in [0, 1]; for photographs with a mask, it is the fourth channel.
Draw = Callable[[np.random.Generator], Tensor]

#: Draws a crop of a frame, with or without mask, and pairs of it with earlier frames.
DrawMoving = Callable[[np.random.Generator], tuple[Tensor, Sequence[Pair]]]


@dataclass(frozen=True)
class StyleData:
    """Training or validation data of the second phase.

    Attributes:
        contents: photographs.
        styles: style pictures.
        moving: frames of clips, nearest earlier frame first: they replace photographs if there are
            temporal terms. None synthesises motion.
        domain: pictures of the other domain, whose features should be indistinguishable from those
            of photographs.
    """

    contents: Draw
    styles: Draw
    moving: DrawMoving | None = None
    domain: Draw | None = None


class StyleObjective(Objective):
    """Style, content, mask and temporal losses, with the network's own maps."""

    def __init__(
        self,
        network: MicroNetwork,
        perceptual: PerceptualNetwork,
        config: StyleConfig,
        data: StyleData,
        held_out: StyleData,
        *,
        ridge: float,
        seed: int,
        items: int,
    ) -> None:
        """
        Args:
            perceptual: provides the layers that style and content are compared in, shallow to deep.
            ridge: of the transform used for rendering.
            items: number of validation items.
        """
        super().__init__()
        self.network, self.perceptual, self.config = network, perceptual, config
        self._data, self._held_out, self._items = data, held_out, items
        self._ridge, self._seed = ridge, seed
        network.encoder.requires_grad_(config.weights.domain > 0)
        self.classifier = DomainClassifier(network.channels) if config.weights.domain > 0 else None
        deep = self.perceptual.layers[-2:]
        self.projectors = (
            nn.ModuleList(steadying.Projector(perceptual.channels[layer]) for layer in deep)
            if config.weights.contrastive > 0
            else None
        )
        self._content_layers = deep
        self._motion = SyntheticMotion(shift=config.shift, noise=config.noise, light=config.light)
        self._progress = 0.0
        self._measure_floors()

    def weights(self, progress: float) -> dict[str, float]:
        """Style terms ramp up from a third to their full weight, so that content settles first."""
        self._progress = progress
        rise = min(1.0, 1 / 3 + 2 / 3 * progress / max(self.config.rise, 1e-6))
        return {
            name: weight * (rise if name in RISING else 1.0)
            for name, weight in vars(self.config.weights).items()
        }

    def sample(self, index: int) -> Sample:
        random = np.random.default_rng((self._seed, _TRAINING, index))
        return self._draw(self._data, random)

    def held_out(self) -> list[Sample]:
        return [
            self._draw(self._held_out, np.random.default_rng((self._seed, _HELD_OUT, index)))
            for index in range(self._items)
        ]

    def _draw(self, data: StyleData, random: np.random.Generator) -> Sample:
        wanted = self.config.weights
        sample = {"style": data.styles(random)}
        history: Sequence[Pair] = []
        if not _needs_past(wanted):
            content = data.contents(random)
        elif data.moving is not None:
            content, history = data.moving(random)
        else:
            content, history = self._moved(data.contents(random), random)
        sample["content"], mask = content[:3], content[3:]
        sample["mask"] = mask if len(mask) else torch.ones_like(content[:1])
        if history:
            sample["before"] = torch.stack([pair.before for pair in history])
            sample["flow"] = torch.stack([pair.flow for pair in history])
            sample["valid"] = torch.stack([pair.valid for pair in history])
        if wanted.compound > 0:
            moved = self._motion(sample["content"][None], random)
            sample |= {"moved": moved.after[0], "motion": moved.flow[0], "inside": moved.valid[0]}
        if wanted.domain > 0 and data.domain is not None:
            sample["domain"] = data.domain(random)
        if wanted.contrastive > 0:
            grid = (self.config.side // 8, self.config.side // 8)
            sample["anchors"] = steadying.anchors(grid, ANCHORS, random)
        return sample

    def _moved(self, crop: Tensor, random: np.random.Generator) -> tuple[Tensor, Sequence[Pair]]:
        """A photograph with its mask after synthetic motion, and the resulting pair."""
        made = self._motion(crop[None, :3], random)
        mask = warp(crop[None, 3:], made.flow, "bilinear") if len(crop) > 3 else crop[None, 3:]
        pair = Pair(*(tensor[0] for tensor in made))
        return torch.cat([pair.after, mask[0]]), [pair]

    def forward(self, batch: Sample) -> dict[str, Tensor]:
        """The terms with non-zero weight."""
        wanted = self.config.weights
        content, mask = batch["content"], batch["mask"]
        maps, output = painted_each(self.network, content, batch["style"], mask, self._ridge)
        seen = self.perceptual(output)
        with torch.no_grad():
            seen_content, seen_style = self.perceptual(content), self.perceptual(batch["style"])
        terms = self._style_terms(seen, seen_style, mask)
        terms |= self._content_terms(output, content, mask, seen, seen_content, batch)
        if _needs_past(wanted):
            pasts = [
                steadying.Past(painted(self.network, before, maps).clamp(0, 1), before, flow, valid)
                for before, flow, valid in zip(
                    batch["before"].unbind(1),
                    batch["flow"].unbind(1),
                    batch["valid"].unbind(1),
                    strict=True,
                )
            ]
            terms |= self._temporal_terms(output, content, pasts, seen)
        if wanted.compound > 0:
            disturbed = painted(self.network, batch["moved"], maps).clamp(0, 1)
            terms["compound"] = steadying.compound_loss(
                disturbed, output, batch["motion"], batch["inside"]
            )
        if self.classifier is not None:
            terms["domain"] = domain_loss(
                self.classifier,
                self.network.encode(content),
                self.network.encode(batch["domain"]),
                reversal_strength(self._progress),
            )
        return {name: term for name, term in terms.items() if getattr(wanted, name) > 0}

    def _style_terms(
        self, seen: dict[str, Tensor], style: dict[str, Tensor], mask: Tensor
    ) -> dict[str, Tensor]:
        wanted = self.config.weights
        found: dict[str, list[Tensor]] = {name: [] for name in RISING}
        for layer in self.perceptual.layers:
            ours, theirs, floor = seen[layer], style[layer], self._floors[layer]
            inside = eroded(mask, self.perceptual.fields[layer], (ours.shape[-2], ours.shape[-1]))
            for prefix, cells in (("", None), ("masked_", inside)):
                if getattr(wanted, f"{prefix}gram") > 0:
                    distance = gram_distance(gram(ours, cells), gram(theirs), floor["gram"])
                    found[f"{prefix}gram"].append(distance)
                if getattr(wanted, f"{prefix}mean_std") > 0:
                    distance = moment_distance(
                        moments(ours, cells), moments(theirs), floor["moments"]
                    )
                    found[f"{prefix}mean_std"].append(distance)
        return {name: torch.stack(each).sum() for name, each in found.items() if each}

    def _content_terms(
        self,
        output: Tensor,
        content: Tensor,
        mask: Tensor,
        seen: dict[str, Tensor],
        seen_content: dict[str, Tensor],
        batch: Sample,
    ) -> dict[str, Tensor]:
        wanted = self.config.weights
        terms: dict[str, Tensor] = {}
        if wanted.content > 0:
            each = [
                keeping.content_loss(seen[layer], seen_content[layer], normalised=True)
                for layer in self._content_layers
            ]
            terms["content"] = torch.stack(each).sum()
        if wanted.identity > 0:
            _, same = painted_each(self.network, batch["style"], batch["style"], None, self._ridge)
            terms["identity"] = keeping.pixel_identity(same, batch["style"])
        if wanted.outside > 0:
            terms["outside"] = keeping.outside_loss(output, content, mask)
        if wanted.total_variation > 0:
            terms["total_variation"] = keeping.total_variation(output)
        if self.projectors is not None:
            each = [
                steadying.coherence_loss(
                    seen[layer], seen_content[layer], batch["anchors"][0], project
                )
                for layer, project in zip(self._content_layers, self.projectors, strict=True)
            ]
            terms["contrastive"] = torch.stack(each).mean()
        for name, loss in (
            ("laplacian", preserving.laplacian_loss),
            ("gradient", preserving.gradient_loss),
            ("structure", preserving.structure_loss),
        ):
            if getattr(wanted, name) > 0:
                terms[name] = loss(output, content)
        return terms

    def _temporal_terms(
        self,
        output: Tensor,
        content: Tensor,
        pasts: Sequence[steadying.Past],
        seen: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        wanted, nearest = self.config.weights, pasts[0]
        terms = {}
        if wanted.temporal > 0:
            terms["temporal"] = steadying.output_temporal_loss(output, content, nearest)
        if wanted.feature_temporal > 0:
            layer = self._content_layers[-1]
            terms["feature_temporal"] = steadying.feature_temporal_loss(
                seen[layer], self.perceptual(nearest.output)[layer], nearest.flow, nearest.valid
            )
        if wanted.long_term > 0:
            terms["long_term"] = steadying.long_term_loss(output, content, pasts)
        return terms

    @torch.no_grad()
    def _measure_floors(self) -> None:
        """Set the energy floors of each layer: the median over styles, times :data:`FLOOR`."""
        random = np.random.default_rng((self._seed, _MEASURING))
        crops = torch.stack([self._data.styles(random) for _ in range(FLOOR_SAMPLES)])
        self._floors = {}
        for layer, seen in self.perceptual(crops).items():
            energy = gram(seen).square().sum((1, 2)).median()
            self._floors[layer] = {
                "gram": FLOOR * float(energy),
                "moments": FLOOR * float(_energy(moments(seen)).median()),
            }


def _energy(of: Moments) -> Tensor:
    """(N,)"""
    return of.mean.square().sum(1) + of.std.square().sum(1)


def _needs_past(weights: StyleWeights) -> bool:
    return max(weights.temporal, weights.feature_temporal, weights.long_term) > 0
