"""The lapped transform: pictures to overlapping frequency bands, and its exact inverse.

Convention: images are float RGB (N, 3, H, W) in [0, 1], H and W multiples of ``STRIDE``; bands are
(N, BANDS, H/4 + 1, W/4 + 1), RGB outermost, then ascending frequency. Block (i, j) is centred on
pixel (4i − ½, 4j − ½).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDE = 4
WINDOW = 8
BANDS = 3 * WINDOW**2


class LappedTransform(nn.Module):
    """Windowed cosine transform of 8×8 blocks, half overlapping: a tight frame.

    The sine window's squares add up to one, so synthesis with the same window inverts it exactly
    (Princen & Bradley 1986; for pictures Malvar 1989). Blocks overlap, so changes to the bands
    leave no block edges. Bands are scaled by their frequency, which makes those of a natural
    picture, whose spectrum falls as 1/f, about equally large.

    A window is two strides wide, so the transform and its inverse are 2×2 convolutions over
    pixel-unshuffled strides, for which every runtime has a fast kernel.
    """

    analysis: Tensor
    synthesis: Tensor

    def __init__(self) -> None:
        super().__init__()
        k = torch.arange(WINDOW, dtype=torch.float64)
        cosines = torch.cos(math.pi * torch.outer(k, k + 0.5) / WINDOW) * math.sqrt(2 / WINDOW)
        cosines[0] /= math.sqrt(2)
        windowed = cosines * torch.sin(math.pi * (k + 0.5) / WINDOW)
        basis = torch.einsum("ay,bx->abyx", windowed, windowed).flatten(0, 1)
        gain = (2 + 6 * (k[:, None].square() + k.square()).sqrt()).flatten()[:, None, None, None]
        # (band, y, x) → (band, pixel of a stride, stride below, stride to the right)
        halves = basis.unflatten(2, (2, STRIDE)).unflatten(1, (2, STRIDE))
        kernels = halves.permute(0, 2, 4, 1, 3).flatten(1, 2)
        self.register_buffer("analysis", (kernels * gain).float(), persistent=False)
        inverse = kernels / gain
        flipped = inverse.transpose(0, 1).flip(2, 3)
        self.register_buffer("synthesis", flipped.float().contiguous(), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) → (N, BANDS, H/4 + 1, W/4 + 1)."""
        padded = F.pad(image - 0.5, (STRIDE,) * 4, mode="reflect")
        strides = F.pixel_unshuffle(padded.flatten(0, 1)[:, None], STRIDE)
        bands = F.conv2d(strides, self.analysis)
        by_picture: Tensor = bands.unflatten(0, image.shape[:2]).flatten(1, 2)
        return by_picture

    def inverse(self, bands: Tensor) -> Tensor:
        """(N, BANDS, h, w) → (N, 3, 4h − 4, 4w − 4), not clamped."""
        strides = F.conv2d(bands.unflatten(1, (3, -1)).flatten(0, 1), self.synthesis)
        planes: Tensor = F.pixel_shuffle(strides, STRIDE).unflatten(0, (-1, 3))[:, :, 0]
        return planes + 0.5
