"""The first phase: an encoder that sees like a teacher, a decoder that undoes it.

Both are dense regressions, which a small network learns in minutes where a style loss, whose
gradient is mostly noise from one pair of pictures to the next, takes days:

    ‖E(z) − P(teacher)‖² + ‖D(E(z) + noise) − z‖² + 5 ‖picture of D − picture‖²

P keeps the principal components of the teacher's features (Wang 2020 distil for style transfer
likewise); the noise makes D indulgent to features that the transform has moved.
"""

import logging

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.errors import UsageError
from vidstyle.style.lapped import STRIDE
from vidstyle.style.network import StyleNetwork
from vidstyle.train.config import DistilConfig
from vidstyle.train.data import Crops, TrainingData
from vidstyle.train.objective import Objective, Sample
from vidstyle.train.teacher import Teacher

#: Streams of random numbers: training items, those held out, crops for the components.
_TRAINING, _HELD_OUT, _COMPONENTS = 0, 1, 2

log = logging.getLogger(__name__)


class DistilObjective(Objective):
    """Terms ``features``, ``bands`` and ``picture``, as above."""

    mean: Tensor
    components: Tensor

    def __init__(
        self,
        network: StyleNetwork,
        teacher: Teacher,
        data: TrainingData,
        config: DistilConfig,
        seed: int,
        validation: int,
    ) -> None:
        """
        Args:
            validation: items to validate with.

        Raises:
            UsageError: the teacher has fewer channels than the network's texture.
        """
        super().__init__()
        self.network, self.teacher = network, teacher
        self._config, self._seed, self._validation = config, seed, validation
        if network.attention is not None:  # of no use here: it learns in the style phase
            network.attention.requires_grad_(False)
        kinds = data.content, data.styles
        self._train = Crops([kind.train for kind in kinds], config.side, config.zoom)
        self._kept = Crops([kind.held_out for kind in kinds], config.side, config.zoom)
        mean, components = self._principal_components()
        self.register_buffer("mean", mean)
        self.register_buffer("components", components)

    def sample(self, index: int) -> Sample:
        """``picture`` (3, side, side) in [0, 1] and ``noise`` (texture, h, w)."""
        return self._draw(self._train, _TRAINING, index)

    def held_out(self) -> list[Sample]:
        return [self._draw(self._kept, _HELD_OUT, index) for index in range(self._validation)]

    def forward(self, batch: Sample) -> dict[str, Tensor]:
        pictures, network = batch["picture"], self.network
        with torch.no_grad(), torch.autocast(pictures.device.type, enabled=False):
            seen = self.teacher.on_grid(pictures) - self.mean
            wanted = torch.einsum("nchw,ck->nkhw", seen, self.components)
        bands = network.lapped(pictures)
        texture = network.encoder(pictures, bands)
        decoded = network.decoder(texture + self._config.noise * batch["noise"])
        return {
            "features": F.mse_loss(texture, wanted),
            "bands": F.mse_loss(decoded, bands),
            "picture": F.mse_loss(network.lapped.inverse(decoded), pictures),
        }

    def weights(self, progress: float) -> dict[str, float]:  # noqa: ARG002
        chosen = self._config.weights
        return {"features": chosen.features, "bands": chosen.bands, "picture": chosen.picture}

    def _draw(self, crops: Crops, stream: int, index: int) -> Sample:
        random = np.random.default_rng((self._seed, stream, index))
        side = self._config.side // STRIDE + 1
        shape = self.network.architecture.texture, side, side
        return {
            "picture": crops.varied(random),
            "noise": torch.from_numpy(random.standard_normal(shape, np.float32)),
        }

    @torch.no_grad()
    def _principal_components(self) -> tuple[Tensor, Tensor]:
        """Mean (C, 1, 1) of the teacher's features and components (C, K) of unit mean variance."""
        random = np.random.default_rng((self._seed, _COMPONENTS))
        crops = (self._train.varied(random)[None] for _ in range(self._config.samples))
        seen = torch.cat([self.teacher.on_grid(crop).flatten(2)[0].T for crop in crops])
        wanted = self.network.architecture.texture
        if seen.shape[1] < wanted:
            raise UsageError(
                f"texture = {wanted}: the teacher {self.teacher.name} has {seen.shape[1]} channels "
                "only; lower texture to that, or take another teacher"
            )
        mean = seen.mean(0)
        values, vectors = torch.linalg.eigh((seen - mean).T @ (seen - mean) / len(seen))
        components = vectors[:, -wanted:].flip(1) / values[-wanted:].mean().sqrt()
        share = 100 * values[-wanted:].sum() / values.sum()
        log.info("components hold %.1f%% of the teacher's variance", share)
        return mean[:, None, None], components
