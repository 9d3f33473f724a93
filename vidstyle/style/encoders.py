"""Encoders of ``micro``: map a picture to features that are linearly related to a deep network's.

Convention: an encoder takes pictures (N, 3, H, W) in [0, 1] and their bands
(N, BANDS, H/4 + 1, W/4 + 1), uses either or both, and returns (N, C, H/8, W/8).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.choices import ENCODERS
from vidstyle.style.lapped import BANDS
from vidstyle.style.residual import Residual


class BandEncoder(nn.Module):
    """``micro``: convolutions over the bands of the lapped transform."""

    def __init__(self, features: int, fine: int, coarse: int, depth: tuple[int, int]) -> None:
        super().__init__()
        self.fine = nn.Sequential(
            nn.Conv2d(BANDS, fine, 1), *(Residual(fine) for _ in range(depth[0]))
        )
        # Every other block is centred on a cell; a cell is computed from 3×3 blocks.
        self.down = nn.Conv2d(fine, coarse, 3, stride=2)
        self.coarse = nn.Sequential(
            *(Residual(coarse) for _ in range(depth[1])), nn.Conv2d(coarse, features, 1)
        )

    def forward(self, images: Tensor, bands: Tensor) -> Tensor:  # noqa: ARG002
        seen: Tensor = self.coarse(self.down(self.fine(bands)))
        return seen


class MobileNetEncoder(nn.Module):
    """``mobilenet``: torchvision's MobileNetV2 (Sandler 2018) to an eighth of the resolution, and
    a projection.

    Batch normalisation is frozen: a result must not depend on the rest of the batch.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, features: int) -> None:
        # Importing these takes two seconds, which rendering with micro should not pay.
        from torchvision.models import mobilenet_v2
        from torchvision.ops import FrozenBatchNorm2d

        super().__init__()
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        self.register_buffer("mean", mean.view(3, 1, 1), persistent=False)
        self.register_buffer("std", std.view(3, 1, 1), persistent=False)
        layers = mobilenet_v2(weights=None, norm_layer=FrozenBatchNorm2d).features
        self.fine, self.coarse = layers[:4], layers[4:7]
        # Each cell takes the four fine positions inside it.
        self.projection = nn.Conv2d(24 * 4 + 32, features, 1)

    def forward(self, images: Tensor, bands: Tensor) -> Tensor:  # noqa: ARG002
        # The strided convolutions are centred on every eighth pixel: padding brings these centres
        # within a pixel of the cells' centres.
        rimmed = F.pad((images - self.mean) / self.std, (0, 8, 0, 8), mode="reflect")[..., 4:, 4:]
        height, width = images.shape[-2] // 8, images.shape[-1] // 8
        fine = self.fine(rimmed)
        coarse = self.coarse(fine)[..., :height, :width]
        inside = F.pixel_unshuffle(fine[..., : 2 * height, : 2 * width], 2)
        seen: Tensor = self.projection(torch.cat([inside, coarse], dim=1))
        return seen


def build_encoder(
    name: str, features: int, fine: int, coarse: int, depth: tuple[int, int]
) -> nn.Module:
    """An encoder with random weights.

    Args:
        features, fine, coarse, depth: see :class:`~vidstyle.style.micro.Architecture`;
            ``mobilenet`` has fixed sizes and uses only the first.

    Raises:
        ValueError: no such encoder.
    """
    match name:
        case "micro":
            return BandEncoder(features, fine, coarse, depth)
        case "mobilenet":
            return MobileNetEncoder(features)
    raise ValueError(f"no encoder {name}; use one of {', '.join(ENCODERS)}")
