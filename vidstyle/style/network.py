"""Style networks: an encoder from pictures to features and a decoder back to pictures.

Between the two, the features are matched to the style's statistics in closed form
(:mod:`vidstyle.style.transform`). There are no skip connections from the plate to the result, so
that none of the plate's own texture comes through unpainted.

Convention: pictures are float RGB (N, 3, H, W) in [0, 1], H and W multiples of :data:`GRID` and at
least two of them; features are (N, C, H/8, W/8), cell (i, j) centred on pixel (8i + 3½, 8j + 3½).
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

#: Pixels from one cell of the features to the next.
GRID = 8


class StyleNetwork(nn.Module, ABC):
    """Encoder and decoder, independent of statistics, files and devices.

    Attributes:
        channels: C of the features.
        reach: radius in pixels of the surroundings that visibly affect a result (see the tests);
            a multiple of ``GRID``.
        pixel_bytes: peak memory of a forward pass per pixel, float32, rounded up.
        order: memory format that is fastest on a CPU.
        attention: strength of the style in each cell, (features, moved features) → (N, 1, h, w) in
            [0, 2]; None for full strength.
    """

    channels: int
    reach: int
    pixel_bytes: int
    order: torch.memory_format = torch.contiguous_format

    def __init__(self) -> None:
        super().__init__()
        self.attention: nn.Module | None = None

    @abstractmethod
    def encode(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) → (N, C, H/8, W/8)."""

    @abstractmethod
    def decode(self, features: Tensor) -> Tensor:
        """(N, C, h, w) → (N, 3, 8h, 8w), not clamped."""
