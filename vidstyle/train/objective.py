"""What a training run minimises: the samples it draws, and the terms that it makes of them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn

from vidstyle.style.micro import MicroNetwork

#: One training item, or a batch of them: named tensors with the batch in front.
Sample = dict[str, Tensor]


class Objective(nn.Module, ABC):
    """One phase of training, as :func:`vidstyle.train.loop.train` runs it.

    What is trained are the parameters that require a gradient: those of ``network`` that this
    phase reaches, and those of helpers (a domain classifier). A parameter that no term depends on
    must not require one, or several processes wait for its gradient for ever.

    Attributes:
        network: what is trained, averaged and saved.
        perceptual: a frozen network that some objectives have; not stored in checkpoints.
    """

    network: MicroNetwork

    @abstractmethod
    def sample(self, index: int) -> Sample:
        """Draw training item ``index`` on the CPU, without the batch in front.

        The same for the same seed and index, whatever was drawn before and by which process.
        """

    @abstractmethod
    def held_out(self) -> list[Sample]:
        """The items of the validation, always the same, from pictures that are not trained on."""

    @abstractmethod
    def forward(self, batch: Sample) -> dict[str, Tensor]:
        """The named terms of the loss: scalars, means over the batch, not yet weighted."""

    @abstractmethod
    def weights(self, progress: float) -> dict[str, float]:
        """The weight of each term at this fraction of the run, in [0, 1]."""

    def kept_state(self) -> dict[str, Tensor]:
        """What a checkpoint holds of the objective: all but frozen networks."""
        return {
            name: tensor
            for name, tensor in self.state_dict().items()
            if not name.startswith("perceptual.")
        }


def weighted_sum(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Σ weight · term, over the terms there are."""
    return sum(
        (weights[name] * term for name, term in terms.items()), next(iter(terms.values())) * 0
    )
