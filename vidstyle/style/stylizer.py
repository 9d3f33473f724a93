"""Style transfer with statistics that are gathered once and then frozen.

With frozen statistics a frame's result depends on that frame alone: statistics cannot flicker,
and any machine can render any frame.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.style.network import CHANNELS, STRIDE, StyleNetwork
from vidstyle.style.transform import Statistics, optimal_map

#: How far a pixel's result reaches for what it depends on, in practice: beyond it, the network's
#: receptive field carries less than half an 8-bit level.
MARGIN = 64


@dataclass(frozen=True)
class Transfer:
    """The frozen map from one shot's features to one style's: ``matrix @ (x − source) + target``.

    Attributes:
        matrix: (C, C) float32.
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
            mask = F.avg_pool2d(_whole_strides(mask.to(self.device)), STRIDE)
        return Statistics.gather(features, mask)

    def transfer(self, content: Statistics, style: Statistics) -> Transfer:
        """Freeze the map from an object's statistics to a style's."""
        matrix = optimal_map(shrunk(content), style.covariance, self.ridge)
        return Transfer(matrix.float(), content.mean.float(), style.mean.float())

    @torch.inference_mode()
    def __call__(self, images: Tensor, transfer: Transfer, strength: float = 1.0) -> Tensor:
        """Restyle a batch.

        Args:
            images: (N, 3, H, W) float RGB in [0, 1], any H and W.
            strength: 0 returns the images (to rounding), 1 the full style; what lies between is
                mixed in feature space, where it stays sharp.

        Returns:
            (N, 3, H, W) float32 in [0, 1] on this stylizer's device.
        """
        height, width = images.shape[-2:]
        half = self.device.type == "cuda"
        with torch.autocast(self.device.type, torch.float16, enabled=half):
            content = self.network.encode(_whole_strides(images.to(self.device)))
            styled = transfer(content)
            weight = strength * self.network.attention(content, styled)
            result = self.network.decode(torch.lerp(content, styled, weight.expand_as(content)))
        return result[..., :height, :width].float().clamp(0, 1)


def shrunk(statistics: Statistics) -> Tensor:
    """The covariance (C, C), shrunk toward its diagonal when there is little to estimate it from.

    A small object has fewer places than the features have channels, and a raw covariance would
    then be singular (Schäfer & Strimmer 2005). Wavelet bands of natural pictures are nearly
    uncorrelated, so the diagonal is the right prior.
    """
    covariance = statistics.covariance
    trust = statistics.weight / (statistics.weight + CHANNELS)
    return trust * covariance + (1 - trust) * torch.diag(covariance.diagonal())


def _whole_strides(images: Tensor) -> Tensor:
    """Padded right and below to multiples of the stride, by repeating the border."""
    height, width = images.shape[-2:]
    return F.pad(images, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
