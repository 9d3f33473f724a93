"""Encoders: texture features of a picture, on the grid of the lapped transform.

Convention: an encoder takes plates (N, 3, H, W) in [0, 1] and their bands (N, BANDS, h, w), uses
what it needs of the two, and returns (N, texture, h, w).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.choices import ENCODERS
from vidstyle.style.lapped import BANDS
from vidstyle.style.residual import Residual


class BandEncoder(nn.Module):
    """``micro``: a few convolutions over the bands, which are there anyway."""

    def __init__(self, texture: int, depth: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(BANDS, texture, 1), *(Residual(texture) for _ in range(depth))
        )

    def forward(self, plates: Tensor, bands: Tensor) -> Tensor:  # noqa: ARG002
        seen: Tensor = self.layers(bands)
        return seen


class _ImageNet(nn.Module):
    """Normalisation of networks that were trained on ImageNet by torchvision's recipe."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        self.register_buffer("mean", mean.view(3, 1, 1), persistent=False)
        self.register_buffer("std", std.view(3, 1, 1), persistent=False)

    def forward(self, plates: Tensor) -> Tensor:
        return (plates - self.mean) / self.std


class Vgg19Encoder(nn.Module):
    """``vgg19``: torchvision's VGG-19 to relu3_1, frozen, and a learned projection."""

    def __init__(self, texture: int) -> None:
        # It costs two seconds, which who renders with micro need not wait.
        from torchvision.models import vgg19

        super().__init__()
        self.normalise = _ImageNet()
        self.backbone = vgg19(weights=None).features[:12].requires_grad_(False)
        for layer in self.backbone:
            if isinstance(layer, nn.ReLU):
                layer.inplace = False
        self.projection = nn.Conv2d(256, texture, 1)

    def forward(self, plates: Tensor, bands: Tensor) -> Tensor:  # noqa: ARG002
        # A rim of two pixels centres the cells on the transform's blocks.
        rimmed = F.pad(self.normalise(plates), (2, 2, 2, 2), mode="reflect")
        seen: Tensor = self.projection(self.backbone(rimmed))
        return seen


class MobileNetEncoder(nn.Module):
    """``mobilenet``: torchvision's MobileNetV2 at 1/4, with 1/8 laid over it, and a projection.

    Batch normalisation is frozen: pictures must not depend on what else is in the batch.
    """

    def __init__(self, texture: int) -> None:
        # As for VGG-19.
        from torchvision.models import mobilenet_v2
        from torchvision.ops import FrozenBatchNorm2d

        super().__init__()
        self.normalise = _ImageNet()
        layers = mobilenet_v2(weights=None, norm_layer=FrozenBatchNorm2d).features
        self.fine, self.coarse = layers[:4], layers[4:7]
        self.projection = nn.Conv2d(24 + 32, texture, 1)

    def forward(self, plates: Tensor, bands: Tensor) -> Tensor:  # noqa: ARG002
        # Its strided convolutions are centred on every fourth pixel: a rim of one puts those
        # within half a pixel of the transform's blocks.
        rimmed = F.pad(self.normalise(plates), (1, 3, 1, 3), mode="reflect")
        fine = self.fine(rimmed)
        coarse = F.interpolate(
            self.coarse(fine), size=fine.shape[-2:], mode="bilinear", align_corners=False
        )
        seen: Tensor = self.projection(torch.cat([fine, coarse], dim=1))
        return seen


def build_encoder(name: str, texture: int, depth: int) -> nn.Module:
    """An encoder with random weights.

    Raises:
        ValueError: there is no such encoder.
    """
    match name:
        case "micro":
            return BandEncoder(texture, depth)
        case "mobilenet":
            return MobileNetEncoder(texture)
        case "vgg19":
            return Vgg19Encoder(texture)
    raise ValueError(f"no encoder {name}; use one of {', '.join(ENCODERS)}")
