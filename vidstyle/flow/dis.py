"""Dense Inverse Search (Kroeger et al., ECCV 2016), as OpenCV has it: the estimator for CPUs."""

import cv2
import numpy as np
import torch
from torch import Tensor

from vidstyle.flow.cache import FlowCache
from vidstyle.flow.estimator import FlowFunction, estimate_bounded

# The coarsest level must still hold several of the preset's 8-pixel patches.
_LEAST_SIDE = 64


class DisFlow:
    """OpenCV's DIS, preset medium.

    It works on the CPU in 8-bit grey, and gives the same flow with any number of threads.

    Args:
        flow_size: largest short side, in pixels, that it works at.
        cache: of flows that were estimated before.
    """

    name = "dis"

    def __init__(self, flow_size: int, cache: FlowCache | None = None) -> None:
        self._flow_size = flow_size
        self._estimate: FlowFunction = _dis
        if cache:
            self._estimate = cache.around(_dis, f"dis medium, OpenCV {cv2.__version__}")

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        """See :meth:`vidstyle.flow.FlowEstimator.__call__`."""
        return estimate_bounded(
            self._estimate, first, second, flow_size=self._flow_size, least=_LEAST_SIDE, stride=1
        )


def _dis(first: Tensor, second: Tensor) -> Tensor:
    # The algorithm object keeps buffers between calls, so each call has its own.
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    pairs = zip(_grey(first), _grey(second), strict=True)
    flows = [dis.calc(a, b, np.zeros((*a.shape, 2), np.float32)) for a, b in pairs]
    return torch.from_numpy(np.stack(flows)).permute(0, 3, 1, 2).contiguous().to(first.device)


def _grey(images: Tensor) -> list[np.ndarray]:
    """(N, 3, H, W) RGB in [0, 1] to N luma pictures (H, W) uint8."""
    codes = images.mul(255).round_().clamp_(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
    return [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in codes]
