"""Difference of a runtime's output from eager PyTorch's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from vidstyle.errors import QualityError
from vidstyle.export.graph import Runtime
from vidstyle.export.probe import Probe


@dataclass(frozen=True)
class Difference:
    """Differences of pictures, in 8-bit levels.

    Attributes:
        mean: mean absolute difference.
        largest: largest absolute difference.
        squared: mean squared difference.
    """

    mean: float
    largest: float
    squared: float

    @property
    def psnr(self) -> float:
        """In dB, for a peak of 255 levels."""
        return 20 * math.log10(255) - 10 * math.log10(self.squared) if self.squared else math.inf

    def __str__(self) -> str:
        return f"mean {self.mean:.5f}, largest {self.largest:.4f} levels, {self.psnr:.1f} dB"


@dataclass(frozen=True)
class Bound:
    """Largest allowed difference of a format's output, in 8-bit levels."""

    mean: float
    largest: float

    def check(self, difference: Difference, subject: str) -> None:
        """
        Raises:
            QualityError: the difference exceeds the bound.
        """
        if not (difference.mean <= self.mean and difference.largest <= self.largest):
            raise QualityError(
                f"{subject}: {difference} from eager PyTorch; at most mean {self.mean:g}, largest "
                f"{self.largest:g} are allowed (--bound); nothing was written"
            )


@torch.inference_mode()
def compare(eager: Runtime, other: Runtime, probes: Sequence[Probe]) -> Difference:
    """Run both on the same probes.

    Args:
        probes: at least one.
    """
    gaps = []
    for probe in probes:
        wanted, got = eager(probe.images, probe.maps), other(probe.images, probe.maps)
        gaps.append((255 * (got - wanted).abs()).flatten())
    gap = torch.cat(gaps)
    return Difference(gap.mean().item(), gap.max().item(), gap.square().mean().item())
