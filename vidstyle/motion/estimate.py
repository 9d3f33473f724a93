"""Motion of the plate and confidence in it, for the temporal step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from vidstyle.motion.estimator import FlowEstimator, both_ways
from vidstyle.motion.occlusion import valid
from vidstyle.motion.warp import warp

#: RGB difference, for a range of 1, at which the plate itself no longer looks the same. Low
#: confidence with strong blending keeps more detail, at the same flicker, than the reverse.
PHOTOMETRIC_SCALE = 0.055


@dataclass(frozen=True)
class Motion:
    """Backward motion of N frames, each against the one before it.

    Attributes:
        flow: (N, 2, H, W) in pixels, frame t to t−1.
        confidence: (N, 1, H, W) in [0, 1]: how far frame t can be taken from frame t−1.
    """

    flow: Tensor
    confidence: Tensor

    @classmethod
    def joined(cls, parts: Sequence["Motion"]) -> Self:
        """The motion of all frames of the parts, in order."""
        return cls(
            torch.cat([part.flow for part in parts]), torch.cat([part.confidence for part in parts])
        )

    def __getitem__(self, index: int) -> "Motion":
        """The motion of one frame, still with its batch dimension (N = 1)."""
        return Motion(self.flow[index : index + 1], self.confidence[index : index + 1])


@torch.inference_mode()
def estimate_motion(estimator: FlowEstimator, before: Tensor, after: Tensor) -> Motion:
    """Motion of the plate between ``before`` and ``after``, (N, 3, H, W) in [0, 1] each.

    A pixel counts where forward and backward flow agree (Ruder 2016), weighted by how well the
    warped plate matches the plate: lighting changes and wrong flow both fail the second test.
    """
    forward, flow = both_ways(estimator, before, after)
    consistent = valid(forward, flow)
    gap = (after - warp(before, flow, "bilinear")).square().mean(dim=1, keepdim=True)
    return Motion(flow, consistent * torch.exp(-gap / PHOTOMETRIC_SCALE**2))
