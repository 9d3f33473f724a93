"""Dense Inverse Search (Kroeger et al., ECCV 2016), as implemented in OpenCV: the estimator for
CPUs."""

from dataclasses import astuple, dataclass
from functools import partial

import cv2
import numpy as np
import torch
from torch import Tensor

from vidstyle.motion.cache import FlowCache
from vidstyle.motion.estimator import FlowFunction, estimate_bounded

# The coarsest level must still hold several of the preset's 8-pixel patches.
_LEAST_SIDE = 64

# Weights of red, green and blue (ITU-R BT.601), in OpenCV's fixed point.
_LUMA = 9798 / 2**15, 19235 / 2**15, 3735 / 2**15


@dataclass(frozen=True)
class Effort:
    """Search effort of DIS.

    Attributes:
        stride: pixels between patches.
        searches: iterations of gradient descent per patch.
        refinements: iterations of the variational step.
    """

    stride: int
    searches: int
    refinements: int


#: OpenCV's preset medium.
FULL = Effort(3, 25, 5)

#: Seven tenths of the time, with the same end-point error on MPI-Sintel's alley_1, but a larger one
#: where small objects move far. Enough to stabilise restyled frames: their warping errors match
#: within a fiftieth. Not for mattes: a tracker's errors accumulate (DAVIS objects lose 0.01 of J).
LIGHT = Effort(4, 16, 5)


class DisFlow:
    """OpenCV's DIS.

    Runs on the CPU in 8-bit grey, and gives the same flow with any number of threads.

    Args:
        flow_size: largest short side, in pixels, that flow is estimated at.
        cache: of flows estimated before.
        effort: search effort.
    """

    name = "dis"

    def __init__(
        self, flow_size: int, cache: FlowCache | None = None, effort: Effort = FULL
    ) -> None:
        self._flow_size = flow_size
        self._estimate: FlowFunction = partial(_dis, effort)
        if cache:
            identity = f"dis {astuple(effort)}, OpenCV {cv2.__version__}"
            self._estimate = cache.around(self._estimate, identity)

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        """See :meth:`vidstyle.motion.estimator.FlowEstimator.__call__`."""
        return estimate_bounded(
            self._estimate, first, second, flow_size=self._flow_size, least=_LEAST_SIDE, stride=1
        )


def _dis(effort: Effort, first: Tensor, second: Tensor) -> Tensor:
    # The algorithm object keeps buffers between calls, so each call has its own.
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setPatchStride(effort.stride)
    dis.setGradientDescentIterations(effort.searches)
    dis.setVariationalRefinementIterations(effort.refinements)
    pairs = zip(_grey(first), _grey(second), strict=True)
    flows = [dis.calc(a, b, np.zeros((*a.shape, 2), np.float32)) for a, b in pairs]
    return torch.stack([torch.from_numpy(flow).permute(2, 0, 1) for flow in flows]).to(first.device)


def _grey(images: Tensor) -> list[np.ndarray]:
    """(N, 3, H, W) RGB in [0, 1] to N luma pictures (H, W) uint8: bit-identical to OpenCV's result
    for 8-bit codes. By planes, in a quarter of the time that interleaving them for OpenCV takes."""
    red, green, blue = ((255 * channel).round_() for channel in images.unbind(1))
    luma = red.mul_(_LUMA[0]).add_(green, alpha=_LUMA[1]).add_(blue, alpha=_LUMA[2]).add_(0.5)
    return list(luma.clamp_(0, 255).byte().cpu().numpy())
