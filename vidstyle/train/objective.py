"""Training objectives: how samples are drawn, and the loss terms computed from them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn

from vidstyle.style.micro import MicroNetwork

#: One training item, or a batch of them: named tensors with a leading batch dimension.
Sample = dict[str, Tensor]


class Objective(nn.Module, ABC):
    """One phase of training, as :func:`vidstyle.train.loop.train` runs it.

    The trained parameters are those that require a gradient: those of ``network`` that this phase
    uses, and those of helpers (a domain classifier). A parameter that no term depends on must not
    require one, or multiple processes wait for its gradient forever.

    Attributes:
        network: the network that is trained, averaged and saved.
        perceptual: a frozen network of some objectives; not stored in checkpoints.
    """

    network: MicroNetwork

    @abstractmethod
    def sample(self, index: int) -> Sample:
        """Draw training item ``index`` on the CPU, without a batch dimension.

        Depends only on seed and index, not on previous draws or the process.
        """

    @abstractmethod
    def held_out(self) -> list[Sample]:
        """The validation items, always the same, from the held-out data."""

    @abstractmethod
    def forward(self, batch: Sample) -> dict[str, Tensor]:
        """The named terms of the loss: scalars, means over the batch, not yet weighted."""

    @abstractmethod
    def weights(self, progress: float) -> dict[str, float]:
        """The weight of each term at this fraction of the run, in [0, 1]."""

    def kept_state(self) -> dict[str, Tensor]:
        """The objective's state for checkpoints: everything but frozen networks."""
        return {
            name: tensor
            for name, tensor in self.state_dict().items()
            if not name.startswith("perceptual.")
        }


def weighted_sum(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Σ weight · term, over ``terms``."""
    return sum(
        (weights[name] * term for name, term in terms.items()), next(iter(terms.values())) * 0
    )
