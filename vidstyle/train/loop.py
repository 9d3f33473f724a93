"""Training a style network: the objective of one step, and the loop around it."""

import json
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.style.network import BANDS, StyleNetwork
from vidstyle.style.transform import optimal_map
from vidstyle.train.data import Crops
from vidstyle.train.losses import (
    centred,
    content_distance,
    gram,
    gram_distance,
    out_of_range,
    temporal_distance,
)
from vidstyle.train.teacher import Teacher

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1")
CONTENT_LAYER = "relu3_1"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a training run makes of its data.

    Attributes:
        steps: of the optimiser; the learning rate falls along half a cosine over all of them.
        batch: content crops a step, each with a style of its own.
        side, style_side: of content and style crops in pixels.
        shift: farthest synthetic motion, in pixels.
        pool: number of different style crops.
        ridge: see ``optimal_map``.
        gram, covariance, content, temporal, out_of_range: weights of the terms.
        rate: peak learning rate; ``warm_up`` steps lead to it.
        clip: largest gradient norm.
        seed: of every random choice.
    """

    steps: int = 2000
    batch: int = 2
    side: int = 192
    style_side: int = 256
    shift: int = 8
    pool: int = 400
    ridge: float = 0.03
    gram: float = 1.0
    covariance: float = 1.0
    content: float = 0.05
    temporal: float = 20.0
    out_of_range: float = 10.0
    rate: float = 4e-4
    warm_up: int = 100
    clip: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Target:
    """A style crop (3, S, S) and what the teacher sees in it: {scale/layer: (Gram, mean)}."""

    crop: Tensor
    moments: dict[str, tuple[Tensor, Tensor]]


class Trainer:
    """One network in training. ``run`` resumes from the folder's checkpoint."""

    def __init__(
        self,
        network: StyleNetwork,
        teacher: Teacher,
        content: Sequence[Tensor],
        styles: Sequence[Tensor],
        recipe: Recipe,
        folder: Path,
    ) -> None:
        """
        Args:
            content, styles: pictures, (3, H, W) uint8.
            folder: takes ``checkpoint.pt`` and ``curves.jsonl``.
        """
        self.network, self.teacher, self.recipe, self.folder = network, teacher, recipe, folder
        self._content = Crops(content, recipe.side + recipe.shift, zoom=(0.8, 1.8))
        self._styles = Crops(styles, recipe.style_side, zoom=(0.8, 1.6))
        self._targets: dict[int, Target] = {}
        self._optimizer = torch.optim.Adam(network.parameters(), lr=recipe.rate)
        self._typical = self._typical_energies(samples=min(24, recipe.pool))

    def run(self, checkpoint_every: int = 50) -> None:
        """Train to the end of the recipe."""
        start = self._resume()
        began = time.monotonic()
        for step in range(start, self.recipe.steps):
            terms = self._step(step)
            with (self.folder / "curves.jsonl").open("a") as file:
                file.write(json.dumps({"step": step, **terms}) + "\n")
            if (step + 1) % checkpoint_every == 0 or step + 1 == self.recipe.steps:
                self._save(step + 1)
                pace = (time.monotonic() - began) / (step + 1 - start)
                log.info("step %d of %d, %.2f s each", step + 1, self.recipe.steps, pace)

    def _step(self, step: int) -> dict[str, float]:
        """One step of the optimiser; the same for the same step, whatever came before."""
        recipe = self.recipe
        random = np.random.default_rng((recipe.seed, step))
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate(step)
        wide = torch.stack([self._content.plain(random) for _ in range(recipe.batch)])
        targets = [self._target(int(i)) for i in random.integers(recipe.pool, size=recipe.batch)]
        terms = self._terms(wide, targets, random)
        loss = sum((getattr(recipe, name) * term for name, term in terms.items()), torch.zeros(()))
        self._optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), recipe.clip)
        if torch.isfinite(norm):
            self._optimizer.step()
        values = {name: round(float(term.detach()), 6) for name, term in terms.items()}
        return {"loss": round(float(loss.detach()), 6), "norm": round(float(norm), 4), **values}

    def _terms(
        self, wide: Tensor, targets: Sequence[Target], random: np.random.Generator
    ) -> dict[str, Tensor]:
        """Every term of the objective, by the name of its weight in the recipe."""
        side = self.recipe.side
        plate = wide[..., :side, :side]
        down, right = random.integers(self.recipe.shift + 1, size=2)
        moved = wide[..., down : down + side, right : right + side]
        moved = moved + torch.randn_like(moved) * random.uniform(0, 0.02)

        features = self.network.encode(plate)
        source, matrices, target = self._transfers(features, targets)

        def restyle(content: Tensor) -> Tensor:
            centred_features = content - source
            transformed = torch.cat(
                [
                    torch.einsum("nij,njhw->nihw", matrices[0], centred_features[:, :BANDS]),
                    torch.einsum("nij,njhw->nihw", matrices[1], centred_features[:, BANDS:]),
                ],
                dim=1,
            )
            return self.network.decode(content, transformed + target)

        output = restyle(features)
        shifted = restyle(self.network.encode(moved))
        # The rims differ for what lies beyond them.
        rim = 16
        same = output[..., rim + down : side - rim, rim + right : side - rim]
        also = shifted[..., rim : side - rim - down, rim : side - rim - right]
        # Half of the steps look at the picture at half its size: larger strokes, at less cost.
        scale = int(random.integers(1, 3))
        seen = self.teacher(F.avg_pool2d(output, scale))
        gram_term, covariance_term = self._style_terms(seen, targets, scale)
        with torch.no_grad():
            content = self.teacher(F.avg_pool2d(plate, scale))[CONTENT_LAYER]
        return {
            "gram": gram_term,
            "covariance": covariance_term,
            "content": content_distance(seen[CONTENT_LAYER], content),
            "temporal": temporal_distance(same, also),
            "out_of_range": out_of_range(output),
        }

    def _transfers(
        self, features: Tensor, targets: Sequence[Target]
    ) -> tuple[Tensor, tuple[Tensor, Tensor], Tensor]:
        """Means and maps for each pair: (N, C, 1, 1), two of (N, c, c), (N, C, 1, 1)."""
        source, from_covariance = _moments(features)
        with torch.no_grad():
            encoded = self.network.encode(torch.stack([target.crop for target in targets]))
            goal, to_covariance = _moments(encoded)
        parts = (slice(None, BANDS), slice(BANDS, None))
        bands, texture = (
            optimal_map(
                from_covariance[:, part, part].double(),
                to_covariance[:, part, part].double(),
                self.recipe.ridge,
            ).float()
            for part in parts
        )
        return source, (bands, texture), goal

    def _style_terms(
        self, seen: dict[str, Tensor], targets: Sequence[Target], scale: int
    ) -> tuple[Tensor, Tensor]:
        """Gram and covariance distance, means over the layers."""
        grams, covariances = [], []
        for layer in STYLE_LAYERS:
            key = f"{scale}/{layer}"
            matrix, mean = gram(seen[layer]), seen[layer].mean((2, 3))
            wanted = torch.stack([target.moments[key][0] for target in targets])
            wanted_mean = torch.stack([target.moments[key][1] for target in targets])
            typical, typical_centred = self._typical[key]
            grams.append(2 * gram_distance(matrix, wanted, typical))
            covariances.append(
                2
                * gram_distance(
                    centred(matrix, mean), centred(wanted, wanted_mean), typical_centred
                )
            )
        return torch.stack(grams).mean(), torch.stack(covariances).mean()

    @torch.no_grad()
    def _target(self, number: int) -> Target:
        """One style crop of the pool; what the teacher sees in it is computed once."""
        if number not in self._targets:
            crop = self._styles.varied(np.random.default_rng((self.recipe.seed, 1 << 32, number)))
            moments = {
                f"{scale}/{layer}": (gram(seen)[0], seen.mean((2, 3))[0])
                for scale in (1, 2)
                for layer, seen in self.teacher(F.avg_pool2d(crop[None], scale)).items()
            }
            self._targets[number] = Target(crop, moments)
        return self._targets[number]

    def _typical_energies(self, samples: int) -> dict[str, tuple[float, float]]:
        """Mean ‖G‖² of the styles by scale and layer, plain and centred."""
        moments = [self._target(number).moments for number in range(samples)]
        return {
            key: (
                float(np.mean([float(m[key][0].square().sum()) for m in moments])),
                float(
                    np.mean(
                        [
                            float(centred(m[key][0][None], m[key][1][None]).square().sum())
                            for m in moments
                        ]
                    )
                ),
            )
            for key in moments[0]
        }

    def _rate(self, step: int) -> float:
        warm = min(1.0, (step + 1) / self.recipe.warm_up)
        return (
            self.recipe.rate * warm * (0.51 + 0.49 * math.cos(math.pi * step / self.recipe.steps))
        )

    def _save(self, step: int) -> None:
        temporary = self.folder / "checkpoint.partial"
        torch.save(
            {
                "step": step,
                "recipe": asdict(self.recipe),
                "network": self.network.state_dict(),
                "optimizer": self._optimizer.state_dict(),
            },
            temporary,
        )
        temporary.replace(self.folder / "checkpoint.pt")

    def _resume(self) -> int:
        """The step to go on from; 0 where there is no checkpoint."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return 0
        checkpoint = torch.load(path, weights_only=True)
        self.network.load_state_dict(checkpoint["network"])
        self._optimizer.load_state_dict(checkpoint["optimizer"])
        return int(checkpoint["step"])


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Means (N, C, 1, 1) and covariances (N, C, C) of (N, C, h, w)."""
    mean = features.mean((2, 3), keepdim=True)
    flat = (features - mean).flatten(2)
    return mean, flat @ flat.mT / flat.shape[-1]
