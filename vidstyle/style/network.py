"""The style network: an exact band transform, and a small learned encoder and decoder beside it.

    bands    z = lapped transform of the picture; it has an exact inverse
    texture  h = E(z), learned to be like a deep network's features; D learned to give z from them

Style comes in two closed-form steps (:mod:`vidstyle.style.transform`):

    texture  h moves to the style's statistics, g; what D makes of the change is painted over:
             p = z + D(g) − D(h)
    bands    p moves to the style's statistics, y, in colour, contrast and sharpness

and the inverse transform gives the picture back from y. With unchanged statistics y is z and the
picture comes back exactly, however well D was learned: a plate keeps its sharpness.

Convention: images are float RGB (N, 3, H, W) in [0, 1], H and W multiples of ``STRIDE``; bands and
texture are (N, C, H/4 + 1, W/4 + 1).
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDE = 4
WINDOW = 8
BANDS = 3 * WINDOW**2


@dataclass(frozen=True)
class Architecture:
    """Sizes of a style network.

    Attributes:
        texture: channels of the learned features.
        depth: residual convolutions in E, and again in D.
    """

    texture: int = 64
    depth: int = 4


class LappedTransform(nn.Module):
    """Windowed cosine transform of 8×8 blocks, half overlapping: a tight frame.

    The sine window's squares add up to one, so synthesis with the same window inverts it exactly
    (Princen & Bradley 1986; for pictures Malvar 1989). Blocks overlap, so what is done to the
    bands leaves no block edges. Bands are scaled by their frequency, which makes those of a
    natural picture, whose spectrum falls as 1/f, about equally large.
    """

    basis: Tensor
    gain: Tensor

    def __init__(self) -> None:
        super().__init__()
        k = torch.arange(WINDOW, dtype=torch.float64)
        cosines = torch.cos(math.pi * torch.outer(k, k + 0.5) / WINDOW) * math.sqrt(2 / WINDOW)
        cosines[0] /= math.sqrt(2)
        windowed = cosines * torch.sin(math.pi * (k + 0.5) / WINDOW)
        basis = torch.einsum("ay,bx->abyx", windowed, windowed).flatten(0, 1)[:, None]
        frequency = (k[:, None].square() + k.square()).sqrt().flatten()
        gain = 2 + 6 * frequency
        self.register_buffer("basis", basis.float(), persistent=False)
        self.register_buffer("gain", gain.float().repeat(3)[:, None, None], persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) → (N, BANDS, H/4 + 1, W/4 + 1): RGB, then rising frequency."""
        padded = F.pad(image - 0.5, (STRIDE,) * 4, mode="reflect")
        planes = padded.flatten(0, 1)[:, None]
        bands = F.conv2d(planes, self.basis, stride=STRIDE)
        scaled: Tensor = bands.unflatten(0, image.shape[:2]).flatten(1, 2) * self.gain
        return scaled

    def inverse(self, bands: Tensor) -> Tensor:
        """(N, BANDS, h, w) → (N, 3, 4h − 4, 4w − 4), not clamped."""
        planes = (bands / self.gain).unflatten(1, (3, -1)).flatten(0, 1)
        image = F.conv_transpose2d(planes, self.basis, stride=STRIDE, padding=STRIDE)
        picture: Tensor = image.unflatten(0, (-1, 3))[:, :, 0] + 0.5
        return picture


class Residual(nn.Module):
    """x + conv(relu(x)). The convolution starts small, so that a deep stack starts near the
    identity and its output does not grow with depth (Zhang 2019, Fixup)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="replicate")
        with torch.no_grad():
            self.conv.weight *= 0.3

    def forward(self, x: Tensor) -> Tensor:
        moved: Tensor = x + self.conv(F.relu(x))
        return moved


class StyleNetwork(nn.Module):
    """Transform, encoder and decoder. Knows nothing of statistics, files or devices."""

    def __init__(self, architecture: Architecture | None = None) -> None:
        super().__init__()
        self.architecture = architecture or Architecture()
        channels, depth = self.architecture.texture, self.architecture.depth
        self.lapped = LappedTransform()
        self.encoder = nn.Sequential(
            nn.Conv2d(BANDS, channels, 1), *(Residual(channels) for _ in range(depth))
        )
        self.decoder = nn.Sequential(
            *(Residual(channels) for _ in range(depth)), nn.Conv2d(channels, BANDS, 1)
        )

    def paint(self, bands: Tensor, texture: Tensor, moved: Tensor) -> Tensor:
        """What a change of texture makes of the bands.

        Args:
            bands: z, (N, BANDS, h, w).
            texture: h, (N, texture, h, w), of the same picture.
            moved: g, like ``texture``.

        Returns:
            p, (N, BANDS, h, w): z itself where ``moved`` is ``texture``.
        """
        painted, plain = self.decoder(torch.cat([moved, texture])).chunk(2)
        result: Tensor = bands + painted - plain
        return result
