"""Training the style network: an encoder that sees like a teacher, a decoder that undoes it.

Both are dense regressions, which a small network learns in minutes where a style loss, whose
gradient is mostly noise from one pair of pictures to the next, takes days:

    ‖E(z) − P(teacher)‖² + ‖D(E(z) + noise) − z‖² + 5 ‖picture of D − picture‖²

P keeps the principal components of the teacher's features (Wang 2020 distil for style transfer
likewise); the noise makes D indulgent to features that the transform has moved.
"""

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

from vidstyle.style.network import StyleNetwork
from vidstyle.train.data import Crops
from vidstyle.train.teacher import Teacher

LAYER = "relu3_1"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a training run makes of its data.

    Attributes:
        steps: of the optimiser; the learning rate falls along half a cosine over all of them.
        batch: crops a step.
        side: of a crop in pixels.
        zoom: a crop covers ``side`` times something in this range.
        rate: peak learning rate; ``warm_up`` steps lead to it.
        clip: largest gradient norm.
        noise: deviation of the noise on the decoder's input.
        samples: crops that the principal components are estimated from.
        seed: of every random choice.
    """

    steps: int = 800
    batch: int = 6
    side: int = 160
    zoom: tuple[float, float] = (0.6, 1.8)
    rate: float = 2e-3
    warm_up: int = 40
    clip: float = 1.0
    noise: float = 0.1
    samples: int = 60
    seed: int = 7


class Distiller:
    """One network in training. ``run`` resumes from the folder's checkpoint."""

    def __init__(
        self,
        network: StyleNetwork,
        teacher: Teacher,
        pictures: Sequence[Tensor],
        recipe: Recipe,
        folder: Path,
    ) -> None:
        """
        Args:
            teacher: gives ``LAYER``.
            pictures: photographs and paintings, (3, H, W) uint8.
            folder: takes ``checkpoint.pt`` and ``curves.jsonl``.
        """
        self.network, self.teacher, self.recipe, self.folder = network, teacher, recipe, folder
        self._crops = Crops(pictures, recipe.side, recipe.zoom)
        self._optimizer = torch.optim.Adam(network.parameters(), recipe.rate, betas=(0.9, 0.98))
        self._mean, self._components = self._principal_components()

    def run(self, checkpoint_every: int = 100) -> None:
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
        recipe, network = self.recipe, self.network
        random = np.random.default_rng((recipe.seed, step))
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate(step)
        pictures = torch.stack([self._crops.varied(random) for _ in range(recipe.batch)])
        with torch.no_grad():
            wanted = torch.einsum(
                "nchw,ck->nkhw", self._seen(pictures) - self._mean, self._components
            )
        bands = network.lapped(pictures)
        texture = network.encoder(pictures, bands)
        noise = torch.from_numpy(random.standard_normal(texture.shape, np.float32))
        decoded = network.decoder(texture + recipe.noise * noise)
        terms = {
            "features": (texture - wanted).square().mean(),
            "bands": (decoded - bands).square().mean(),
            "picture": (network.lapped.inverse(decoded) - pictures).square().mean(),
        }
        loss = terms["features"] + terms["bands"] + 5 * terms["picture"]
        self._optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
        self._optimizer.step()
        return {name: round(float(term.detach()), 6) for name, term in terms.items()}

    def _seen(self, pictures: Tensor) -> Tensor:
        """The teacher's features on the grid of the lapped transform, (N, C, H/4 + 1, W/4 + 1).

        The rim of two pixels puts the teacher's cells where the transform's blocks are centred.
        """
        seen: dict[str, Tensor] = self.teacher(F.pad(pictures, (2, 2, 2, 2), mode="reflect"))
        return seen[LAYER]

    @torch.no_grad()
    def _principal_components(self) -> tuple[Tensor, Tensor]:
        """Mean (C, 1, 1) of the teacher's features and components (C, K) of unit mean variance."""
        random = np.random.default_rng((self.recipe.seed, 1 << 32))
        seen = torch.cat(
            [
                self._seen(self._crops.varied(random)[None]).flatten(2)[0].T
                for _ in range(self.recipe.samples)
            ]
        )
        mean = seen.mean(0)
        values, vectors = torch.linalg.eigh((seen - mean).T @ (seen - mean) / len(seen))
        kept = slice(-self.network.architecture.texture, None)
        components = vectors[:, kept].flip(1) / values[kept].mean().sqrt()
        log.info("components hold %.1f%% of the variance", 100 * values[kept].sum() / values.sum())
        return mean[:, None, None], components

    def _rate(self, step: int) -> float:
        warm = min(1.0, (step + 1) / self.recipe.warm_up)
        fall = 0.505 + 0.495 * math.cos(math.pi * step / self.recipe.steps)
        return self.recipe.rate * warm * fall

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
