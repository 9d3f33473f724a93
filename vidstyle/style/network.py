"""The style network: an exact band transform, and a small encoder and decoder beside it.

    bands      z = lapped transform of the picture; it has an exact inverse
    texture    h = E(z), learned to be like a deep network's features; D learned to give z from them
    attention  a = A(h, g) in [0, 2]: how much style each place takes

Style comes in two closed-form steps (:mod:`vidstyle.style.transform`):

    texture  h moves to the style's statistics, g; what D makes of the change is painted over:
             p = z + D(g) − D(h)
    bands    p moves to the style's statistics, y, in colour, contrast and sharpness

and the inverse transform gives the picture back from z + a (y − z). With unchanged statistics y is
z and the picture comes back exactly, however well D was learned: a plate keeps its sharpness.

Convention: images are float RGB (N, 3, H, W) in [0, 1], H and W multiples of ``STRIDE``; bands and
texture are (N, C, H/4 + 1, W/4 + 1).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.style.encoders import build_encoder
from vidstyle.style.lapped import BANDS, LappedTransform
from vidstyle.style.residual import Residual


@dataclass(frozen=True)
class Architecture:
    """Sizes of a style network.

    Attributes:
        texture: channels of the learned features.
        depth: residual convolutions in D, and in E where it is ``micro``.
        encoder: one of ``choices.ENCODERS``.
        attention: hidden channels of the attention; 0 leaves it out.
    """

    texture: int = 64
    depth: int = 4
    encoder: str = "micro"
    attention: int = 0


class Attention(nn.Module):
    """Where, and how much, style applies. Starts as 1 everywhere."""

    def __init__(self, texture: int, hidden: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(2 * texture, hidden, 1)
        self.judge = nn.Conv2d(hidden, 1, 3, padding=1, padding_mode="replicate")
        nn.init.zeros_(self.judge.weight)
        nn.init.zeros_(self.judge.bias)  # type: ignore[arg-type]

    def forward(self, texture: Tensor, moved: Tensor) -> Tensor:
        """(N, texture, h, w) twice → (N, 1, h, w) in [0, 2]."""
        seen = torch.relu(self.look(torch.cat([texture, moved], dim=1)))
        amount: Tensor = 2 * torch.sigmoid(self.judge(seen))
        return amount


class StyleNetwork(nn.Module):
    """Transform, encoder and decoder. Knows nothing of statistics, files or devices."""

    def __init__(self, architecture: Architecture | None = None) -> None:
        super().__init__()
        self.architecture = sizes = architecture or Architecture()
        self.lapped = LappedTransform()
        self.encoder = build_encoder(sizes.encoder, sizes.texture, sizes.depth)
        self.decoder = nn.Sequential(
            *(Residual(sizes.texture) for _ in range(sizes.depth)),
            nn.Conv2d(sizes.texture, BANDS, 1),
        )
        self.attention = Attention(sizes.texture, sizes.attention) if sizes.attention else None

    def paint(self, bands: Tensor, texture: Tensor, moved: Tensor) -> Tensor:
        """What a change of texture makes of the bands.

        Args:
            bands: z, (N, BANDS, h, w).
            texture: h, (N, texture, h, w), of the same picture.
            moved: g, like ``texture``.

        Returns:
            p, (N, BANDS, h, w): z itself where ``moved`` is ``texture``.
        """
        return bands + F.conv2d(self.strokes(texture, moved), self.head[..., None, None])

    def strokes(self, texture: Tensor, moved: Tensor) -> Tensor:
        """The change of texture as D sees it before its head, (N, texture, h, w).

        The head is linear: once over the difference will do, and its offset falls out.
        """
        body = self.decoder[:-1]
        strokes: Tensor = body(moved) - body(texture)
        return strokes

    @property
    def head(self) -> Tensor:
        """The matrix from strokes to bands, (BANDS, texture)."""
        weight: Tensor = self.decoder[-1].weight  # type: ignore[assignment]
        return weight.flatten(1)
