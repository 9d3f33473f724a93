"""The running mean of a network's weights, which performs better than the last weights."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def average_of(network: nn.Module, decay: float) -> AveragedModel:
    """The exponential mean of ``network``'s weights; ``update_parameters`` adds the current ones.

    Polyak & Juditsky 1992. The first updates have a larger weight (decay (1 + n) / (10 + n)), so
    that the random start is soon forgotten.
    """

    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], count: Tensor | int) -> None:
        kept = min(decay, (1 + int(count)) / (10 + int(count)))
        for mean, new in zip(averaged, current, strict=True):
            mean.lerp_(new.to(mean.dtype), 1 - kept)

    return AveragedModel(network, multi_avg_fn=update)
