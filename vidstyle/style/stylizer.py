"""Style transfer with statistics that are gathered once and then frozen.

With frozen statistics a frame's result depends on that frame alone: statistics cannot flicker,
and any machine can render any frame.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.style.network import BANDS, STRIDE, WINDOW, StyleNetwork
from vidstyle.style.transform import Statistics, optimal_map, shrunk

#: Pixels around a box that the network must see, so that the box's edge does not show inside it.
#: The receptive field is wider, but its outer part weighs next to nothing (see the tests).
MARGIN = 32

#: Most pixels in one network call: on a CPU small ones stay in the cache, on CUDA the bound is
#: memory.
CALL_PIXELS = {"cpu": 2**19, "cuda": 2**23}


@dataclass(frozen=True)
class Transfer:
    """The frozen map from one shot's features to one style's: ``matrix @ (x − source) + target``.

    Attributes:
        matrix: (C, C) float32; bands and texture do not mix.
        source, target: means, (C,) float32.
    """

    matrix: Tensor
    source: Tensor
    target: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        """(N, C, h, w) → (N, C, h, w)."""
        offset = self.target - self.matrix @ self.source
        return F.conv2d(features, self.matrix[:, :, None, None], offset)


class Stylizer:
    """A style network on its device: gathers statistics, freezes transfers, applies them."""

    def __init__(self, network: StyleNetwork, device: torch.device, ridge: float) -> None:
        """
        Args:
            ridge: the transform's; part of the model, since it is trained with it.
        """
        self.network = network.to(device).eval().requires_grad_(False)
        self.device = device
        self.ridge = ridge

    @torch.inference_mode()
    def statistics(self, images: Tensor, mask: Tensor | None = None) -> Statistics:
        """Statistics of (N, 3, H, W) pictures in [0, 1] where ``mask`` (N, 1, H, W) allows."""
        features = self.network.encode(_whole_strides(images.to(self.device)))
        if mask is not None:
            # As much of each block as lies inside the mask.
            mask = F.avg_pool2d(_whole_strides(mask.to(self.device)), WINDOW, STRIDE, STRIDE)
        return Statistics.gather(features, mask)

    def transfer(self, content: Statistics, style: Statistics) -> Transfer:
        """Freeze the map from an object's statistics to a style's."""
        source, target = shrunk(content), style.covariance
        parts = (slice(None, BANDS), slice(BANDS, None))
        matrix = torch.block_diag(
            *(optimal_map(source[part, part], target[part, part], self.ridge) for part in parts)
        )
        return Transfer(matrix.float(), content.mean.float(), style.mean.float())

    @torch.inference_mode()
    def __call__(self, images: Tensor, transfer: Transfer, strength: float = 1.0) -> Tensor:
        """Restyle a batch.

        Args:
            images: (N, 3, H, W) float RGB in [0, 1], any H and W of at least 8.
            strength: 0 returns the images (to rounding), 1 the full style; what lies between is
                mixed in feature space, where it stays sharp.

        Returns:
            (N, 3, H, W) float32 in [0, 1] on this stylizer's device.
        """
        height, width = images.shape[-2:]
        call = max(1, CALL_PIXELS[self.device.type] // (height * width))
        return torch.cat([self._call(part, transfer, strength) for part in images.split(call)])

    def _call(self, images: Tensor, transfer: Transfer, strength: float) -> Tensor:
        height, width = images.shape[-2:]
        half = self.device.type == "cuda"
        with torch.autocast(self.device.type, torch.float16, enabled=half):
            content = self.network.encode(_whole_strides(images.to(self.device)))
            result = self.network.decode(content, transfer(content), strength)
        return result[..., :height, :width].float().clamp(0, 1)


def _whole_strides(images: Tensor) -> Tensor:
    """Padded right and below to multiples of the stride, by repeating the border."""
    height, width = images.shape[-2:]
    return F.pad(images, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
