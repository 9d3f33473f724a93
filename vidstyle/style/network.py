"""The style network: a linear band transform beside a small learned one.

    bands    z = lapped transform of the picture; it has an exact inverse
    texture  h = E(z), learned and non-linear

Both are moved to the style's statistics in closed form (:mod:`vidstyle.style.transform`): z to y,
h to g. The bands carry colour, contrast and sharpness; the learned part adds what linear bands
cannot express, strokes and pattern, and it enters as a difference:

    picture = inverse of  z + a (y − z + D(g) − D(h))

With unchanged statistics the difference vanishes and the picture comes back exactly, whatever
was learned: a plate keeps its sharpness, nothing has to be spent on learning to reconstruct, and
a strength of 0 is the identity. The weight a is a learned spatial attention times the strength.

Convention: images are float RGB (N, 3, H, W) in [0, 1], H and W multiples of ``STRIDE``;
features are (N, C, H/4, W/4), the bands first.
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
        attention: width of the attention head.
    """

    texture: int = 64
    depth: int = 4
    attention: int = 16


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
        return bands.unflatten(0, image.shape[:2]).flatten(1, 2) * self.gain

    def inverse(self, bands: Tensor) -> Tensor:
        """(N, BANDS, h, w) → (N, 3, 4h − 4, 4w − 4), not clamped."""
        planes = (bands / self.gain).unflatten(1, (3, -1)).flatten(0, 1)
        image = F.conv_transpose2d(planes, self.basis, stride=STRIDE, padding=STRIDE)
        return image.unflatten(0, (-1, 3))[:, :, 0] + 0.5


class Residual(nn.Module):
    """x + conv(relu(x))"""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="replicate")

    def forward(self, x: Tensor) -> Tensor:
        moved: Tensor = x + self.conv(F.relu(x))
        return moved


class Attention(nn.Module):
    """Where, and how much, style applies: one weight in (0, 1) for each place.

    Sees the content's learned features and what the transform makes of them. Starts near 1.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(2 * channels, hidden, 1)
        self.weigh = nn.Conv2d(hidden, 1, 3, padding=1, padding_mode="replicate")
        assert self.weigh.bias is not None
        nn.init.zeros_(self.weigh.weight)
        nn.init.constant_(self.weigh.bias, 3.0)

    def forward(self, content: Tensor, transformed: Tensor) -> Tensor:
        """(N, C, h, w) twice → (N, 1, h, w)."""
        mixed = F.relu(self.mix(torch.cat([content, transformed], dim=1)))
        return torch.sigmoid(self.weigh(mixed))


class StyleNetwork(nn.Module):
    """Encoder, decoder and attention. Knows nothing of statistics, files or devices."""

    def __init__(self, architecture: Architecture | None = None) -> None:
        super().__init__()
        self.architecture = architecture or Architecture()
        channels, depth = self.architecture.texture, self.architecture.depth
        self.lapped = LappedTransform()
        self.encoder = nn.Sequential(
            nn.Conv2d(BANDS, channels, 1), *(Residual(channels) for _ in range(depth))
        )
        out = nn.Conv2d(channels, BANDS, 1, bias=False)
        nn.init.zeros_(out.weight)
        self.decoder = nn.Sequential(*(Residual(channels) for _ in range(depth)), nn.ReLU(), out)
        self.attention = Attention(channels, self.architecture.attention)

    def encode(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] → (N, BANDS + texture, h, w)."""
        bands = self.lapped(image)
        return torch.cat([bands, self.encoder(bands)], dim=1)

    def decode(self, content: Tensor, transformed: Tensor, strength: float = 1.0) -> Tensor:
        """Features as encoded, and as transformed → (N, 3, H, W), not clamped.

        Args:
            content, transformed: (N, BANDS + texture, h, w).
            strength: 0 gives the content back.
        """
        bands, texture = content[:, :BANDS], content[:, BANDS:]
        new_bands, new_texture = transformed[:, :BANDS], transformed[:, BANDS:]
        painted, plain = self.decoder(torch.cat([new_texture, texture])).chunk(2)
        weight = strength * self.attention(texture, new_texture)
        picture: Tensor = self.lapped.inverse(
            bands + weight * (new_bands - bands + painted - plain)
        )
        return picture
