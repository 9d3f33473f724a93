"""The style network: a reversible encoder whose decoder is its own inverse.

A stack of orthonormal Haar squeezes and additive couplings (NICE, Dinh 2015; RevNet, Gomez 2017;
for style transfer CAP-VSTNet, Wen 2023). Nothing is lost on the way up, so nothing has to be
invented on the way down: with unchanged features the picture comes back exactly, a plate keeps
its sharpness, and all of the training goes into style.

Convention: images are float RGB (N, 3, H, W) in [0, 1], H and W multiples of ``STRIDE``;
features are (N, CHANNELS, H/8, W/8).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDE = 8
CHANNELS = 3 * STRIDE**2


@dataclass(frozen=True)
class Architecture:
    """Sizes of a reversible style network.

    Attributes:
        blocks: number of couplings at 1/2, 1/4 and 1/8 of the picture's size.
        hidden: width inside a coupling at each of the three.
        attention: width of the attention head.
    """

    blocks: tuple[int, int, int] = (0, 4, 6)
    hidden: tuple[int, int, int] = (16, 48, 128)
    attention: int = 16


class Coupling(nn.Module):
    """Additive coupling: one half of the channels moves by a function of the other.

    ``y = [b, a + f(b)]``; the halves change places so that the next coupling moves the other one.
    The last convolution starts at zero: an untrained network is the plain wavelet transform.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        half = channels // 2
        self.f = nn.Sequential(
            nn.Conv2d(half, hidden, 3, padding=1, padding_mode="reflect"),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, half, 3, padding=1, padding_mode="reflect"),
        )
        last = self.f[-1]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, x: Tensor) -> Tensor:
        a, b = x.chunk(2, dim=1)
        return torch.cat([b, a + self.f(b)], dim=1)

    def inverse(self, y: Tensor) -> Tensor:
        b, moved = y.chunk(2, dim=1)
        return torch.cat([moved - self.f(b), b], dim=1)


def haar(x: Tensor) -> Tensor:
    """One level of the orthonormal Haar transform: (N, C, H, W) → (N, 4C, H/2, W/2).

    Channels come as all averages, then all horizontal, vertical and diagonal differences.
    """
    a, b = x[..., 0::2, 0::2], x[..., 0::2, 1::2]
    c, d = x[..., 1::2, 0::2], x[..., 1::2, 1::2]
    return torch.cat([a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d], dim=1) / 2


def inverse_haar(y: Tensor) -> Tensor:
    """The inverse of :func:`haar`: (N, 4C, H, W) → (N, C, 2H, 2W)."""
    s, h, v, d = y.chunk(4, dim=1)
    corners = torch.stack([s + h + v + d, s - h + v - d, s + h - v - d, s - h - v + d], dim=2) / 2
    return F.pixel_shuffle(corners.flatten(1, 2), 2)


class Attention(nn.Module):
    """Where, and how much, style applies: one weight in (0, 1) for each place.

    Sees the content's features and what the transform would make of them. Starts near 1.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.head = nn.Sequential(
            nn.Conv2d(2 * channels, hidden, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, 1, 3, padding=1, padding_mode="reflect"),
        )
        last = self.head[-1]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        nn.init.zeros_(last.weight)
        nn.init.constant_(last.bias, 3.0)

    def forward(self, content: Tensor, transformed: Tensor) -> Tensor:
        """(N, C, h, w) twice → (N, 1, h, w)."""
        return torch.sigmoid(self.head(torch.cat([content, transformed], dim=1)))


class StyleNetwork(nn.Module):
    """Reversible encoder and its inverse, with the attention head that belongs to them."""

    def __init__(self, architecture: Architecture | None = None) -> None:
        super().__init__()
        self.architecture = architecture or Architecture()
        self.fine, self.medium, self.coarse = (
            nn.ModuleList(Coupling(3 * 4**level, hidden) for _ in range(blocks))
            for level, blocks, hidden in zip(
                (1, 2, 3), self.architecture.blocks, self.architecture.hidden, strict=True
            )
        )
        self.attention = Attention(CHANNELS, self.architecture.attention)

    def encode(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] → (N, CHANNELS, H/8, W/8)."""
        x = image
        for couplings in (self.fine, self.medium, self.coarse):
            x = haar(x)
            for coupling in couplings:
                x = coupling(x)
        return x

    def decode(self, features: Tensor) -> Tensor:
        """(N, CHANNELS, H/8, W/8) → (N, 3, H, W), not clamped: the exact inverse of ``encode``."""
        x = features
        for couplings in (self.coarse, self.medium, self.fine):
            for coupling in reversed(couplings):
                assert isinstance(coupling, Coupling)
                x = coupling.inverse(x)
            x = inverse_haar(x)
        return x
