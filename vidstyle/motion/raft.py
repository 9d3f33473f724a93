"""RAFT (Teed and Deng, ECCV 2020), as implemented in torchvision: the estimator for GPUs."""

import re
import threading
from pathlib import Path

import torch
from torch import Tensor
from torchvision.models.optical_flow import raft_large, raft_small
from torchvision.models.optical_flow.raft import CorrBlock

from vidstyle.errors import WeightsError
from vidstyle.models.weights import load_tensors, sha256
from vidstyle.motion.cache import FlowCache
from vidstyle.motion.estimator import FlowFunction, estimate_bounded

_STRIDE = 8  # of the feature encoder
_LEAST_SIDE = 128  # the fourth level of the correlation pyramid is then 2×2

# The names in the authors' release (princeton-vl/RAFT), and torchvision's for the same tensors.
_RENAMES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"^module\.", ""),
        (r"^(fnet|cnet)\.conv1\.", r"\1.convnormrelu.0."),
        (r"^(fnet|cnet)\.norm1\.", r"\1.convnormrelu.1."),
        (r"^(fnet|cnet)\.conv2\.", r"\1.conv."),
        (r"^fnet\.", "feature_encoder."),
        (r"^cnet\.", "context_encoder."),
        (r"(layer\d\.\d)\.conv(\d)\.", r"\1.convnormrelu\2.0."),
        (r"(layer\d\.\d)\.norm(\d)\.", r"\1.convnormrelu\2.1."),
        (r"^update_block\.encoder\.convc(\d)\.", r"update_block.motion_encoder.convcorr\1.0."),
        (r"^update_block\.encoder\.convf(\d)\.", r"update_block.motion_encoder.convflow\1.0."),
        (r"^update_block\.encoder\.conv\.", "update_block.motion_encoder.conv.0."),
        # The small network has one GRU and does not number it.
        (r"^update_block\.gru\.conv([zrq])\.", r"update_block.recurrent_block.convgru1.conv\1."),
        (
            r"^update_block\.gru\.conv([zrq])(\d)\.",
            r"update_block.recurrent_block.convgru\2.conv\1.",
        ),
        (r"^update_block\.mask\.0\.", "mask_predictor.convrelu.0."),
        (r"^update_block\.mask\.2\.", "mask_predictor.conv."),
    )
]


class Correlations(CorrBlock):  # type: ignore[misc]
    """torchvision's, made thread-safe and in full precision.

    torchvision keeps the correlations of a pair on the network itself; here each thread has its
    own. They are sums of hundreds of products, which half precision may not hold; the authors use
    full precision too.
    """

    def __init__(self, *, num_levels: int, radius: int) -> None:
        self._own = threading.local()
        super().__init__(num_levels=num_levels, radius=radius)

    @property
    def corr_pyramid(self) -> list[Tensor]:
        """Levels of this thread's pair, one per halving."""
        levels: list[Tensor] = self._own.levels
        return levels

    @corr_pyramid.setter
    def corr_pyramid(self, levels: list[Tensor]) -> None:
        self._own.levels = levels

    def build_pyramid(self, fmap1: Tensor, fmap2: Tensor) -> None:
        with torch.autocast(fmap1.device.type, enabled=False):
            super().build_pyramid(fmap1.float(), fmap2.float())


class RaftFlow:
    """torchvision's RAFT; half precision on CUDA, full on a CPU.

    Args:
        variant: ``raft-small`` or ``raft-large``; also its name.
        weights: a .pth or .safetensors file with torchvision's key names, or with those of the
            authors' release.
        device: where it runs.
        flow_size: largest short side, in pixels, that flow is estimated at.
        updates: iterations of refinement; the paper's curve is flat after about 10.
        cache: of flows estimated before.

    Raises:
        WeightsError: the file cannot be read, or does not fit the variant.
    """

    def __init__(
        self,
        variant: str,
        weights: Path,
        *,
        device: torch.device,
        flow_size: int,
        updates: int = 12,
        cache: FlowCache | None = None,
    ) -> None:
        self.name = variant
        self._device = device
        self._flow_size = flow_size
        self._updates = updates
        build, radius = (raft_large, 4) if variant == "raft-large" else (raft_small, 3)
        network = build(corr_block=Correlations(num_levels=4, radius=radius))
        try:
            network.load_state_dict(torchvision_keys(load_tensors(weights)))
        except RuntimeError:  # missing, unexpected or misshapen tensors, one line for each
            raise WeightsError(
                f"{weights}: these are not the weights of {variant}; run `vidstyle models fetch "
                f"{variant}`"
            ) from None
        self._network = network.eval().requires_grad_(False).to(device)
        self._estimate: FlowFunction = self._raft
        if cache:
            # Precision differs between device types.
            settings = f"{variant} {sha256(weights)}, {updates} updates, {device.type}"
            self._estimate = cache.around(self._raft, settings)

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        """See :meth:`vidstyle.motion.estimator.FlowEstimator.__call__`."""
        flow = estimate_bounded(
            self._estimate,
            first.to(self._device),
            second.to(self._device),
            flow_size=self._flow_size,
            least=_LEAST_SIDE,
            stride=_STRIDE,
        )
        return flow.to(first.device)

    @torch.no_grad()
    def _raft(self, first: Tensor, second: Tensor) -> Tensor:
        on_cuda = self._device.type == "cuda"
        with torch.autocast(self._device.type, dtype=torch.float16, enabled=on_cuda):
            flows = self._network(2 * first - 1, 2 * second - 1, num_flow_updates=self._updates)
        return torch.as_tensor(flows[-1], dtype=torch.float32)


def torchvision_keys(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """RAFT's tensors under torchvision's key names, whichever of the two they came with."""
    if any("feature_encoder." in key for key in tensors):
        return tensors
    # A block's norm3 is the same module as its downsample.1, saved twice.
    return {_renamed(key): tensor for key, tensor in tensors.items() if ".norm3." not in key}


def _renamed(key: str) -> str:
    for pattern, replacement in _RENAMES:
        key = pattern.sub(replacement, key)
    return key
