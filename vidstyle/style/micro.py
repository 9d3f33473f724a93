"""``micro``: a small network for CPUs, distilled from ``vgg19``.

See :mod:`vidstyle.train.distil`. Its encoder learned the principal components of relu4_1; its
decoder, the pictures that AdaIN's decoder paints from their transformed values. As in
collaborative distillation (Wang et al., CVPR 2020), the teacher's features are a linear map of the
student's, so that both are transformed in the same space.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.style.encoders import build_encoder
from vidstyle.style.grid import off_grid
from vidstyle.style.lapped import BANDS, LappedTransform
from vidstyle.style.network import GRID, StyleNetwork
from vidstyle.style.residual import Residual


@dataclass(frozen=True)
class Architecture:
    """Sizes of a ``micro`` network.

    Attributes:
        encoder: one of ``choices.ENCODERS``.
        features: channels that are matched to the style's statistics.
        fine: channels of the encoder at a quarter of the resolution.
        coarse: channels of encoder and decoder at an eighth.
        brush: channels of the decoder at a quarter.
        depth: residual convolutions of the encoder at a quarter and at an eighth, and of the
            decoder at an eighth and at a quarter.
        attention: hidden channels of the attention; 0 leaves it out.
    """

    encoder: str = "micro"
    features: int = 128
    fine: int = 64
    coarse: int = 128
    brush: int = 96
    depth: tuple[int, int, int, int] = (3, 6, 8, 7)
    attention: int = 0


class Attention(nn.Module):
    """Where, and how strongly, the style applies. Initialised to 1 everywhere."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(2 * channels, hidden, 1)
        self.judge = nn.Conv2d(hidden, 1, 3, padding=1, padding_mode="replicate")
        nn.init.zeros_(self.judge.weight)
        nn.init.zeros_(self.judge.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor, moved: Tensor) -> Tensor:
        """(N, C, h, w) twice → (N, 1, h, w) in [0, 2]."""
        seen = torch.relu(self.look(torch.cat([features, moved], dim=1)))
        amount: Tensor = 2 * torch.sigmoid(self.judge(seen))
        return amount


class MicroNetwork(StyleNetwork):
    """A lapped transform, convolutions at a quarter and an eighth of the resolution, and back.

    The decoder ends in the bands of the transform, whose blocks overlap, so that no block edges
    show; patterns that repeat in every cell are removed.
    """

    pixel_bytes = 512

    def __init__(self, architecture: Architecture | None = None) -> None:
        super().__init__()
        self.architecture = sizes = architecture or Architecture()
        self.channels = sizes.features
        self.reach = _reach(sizes)
        self.lapped = LappedTransform()
        encoder_depth, (coarse_depth, fine_depth) = sizes.depth[:2], sizes.depth[2:]
        self.encoder = build_encoder(
            sizes.encoder, sizes.features, sizes.fine, sizes.coarse, encoder_depth
        )
        self.coarse = nn.Sequential(
            nn.Conv2d(sizes.features, sizes.coarse, 1),
            *(Residual(sizes.coarse) for _ in range(coarse_depth)),
            nn.Conv2d(sizes.coarse, sizes.brush, 1),
        )
        self.fine = nn.Sequential(
            *(Residual(sizes.brush) for _ in range(fine_depth)), nn.Conv2d(sizes.brush, BANDS, 1)
        )
        if sizes.attention:
            self.attention = Attention(sizes.features, sizes.attention)

    def encode(self, images: Tensor) -> Tensor:
        features: Tensor = self.encoder(images, self.lapped(images))
        return features

    def decode(self, features: Tensor) -> Tensor:
        bands = self.fine(_to_blocks(self.coarse(features)))
        return off_grid(self.lapped.inverse(bands))


def _reach(sizes: Architecture) -> int:
    """See :class:`StyleNetwork`. Pixels near the rim of a receptive field hardly count (Luo et al.,
    "Understanding the effective receptive field", NeurIPS 2016): at two fifths of its radius, what
    lies beyond changes a result by less than a level."""
    in_blocks, in_cells = sizes.depth[0] + sizes.depth[3], sizes.depth[1] + sizes.depth[2]
    radius = math.ceil(0.42 * (in_blocks * GRID // 2 + in_cells * GRID) / GRID) * GRID
    return radius if sizes.encoder == "micro" else max(radius, 96)


def _to_blocks(cells: Tensor) -> Tensor:
    """Resample cells, 8 pixels apart, to the blocks of the transform, 4 apart: every other block is
    centred on a cell, and those between two cells take their mean.

    (N, C, h, w) → (N, C, 2h + 1, 2w + 1)
    """
    doubled = F.interpolate(cells, scale_factor=2, mode="nearest")
    return F.avg_pool2d(F.pad(doubled, (1, 1, 1, 1), mode="replicate"), 2, 1)
