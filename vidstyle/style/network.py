"""What a style network is: a picture to features, features to a picture.

Between the two the features move to the style's statistics, in closed form
(:mod:`vidstyle.style.transform`); the decoder then paints what it sees. There is no way from the
plate to the picture around the features, so that nothing of the plate's own texture comes through
unpainted.

Convention: pictures are float RGB (N, 3, H, W) in [0, 1], H and W multiples of :data:`GRID`, two
steps at least; features are (N, C, H/8, W/8), cell (i, j) centred on pixel (8i + 3½, 8j + 3½).
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

#: Pixels from one cell of the features to the next.
GRID = 8


class StyleNetwork(nn.Module, ABC):
    """Encoder and decoder. Knows nothing of statistics, files or devices.

    Attributes:
        channels: C of the features.
        reach: pixels around a place that its result depends on, so far as it shows (see the
            tests); a multiple of ``GRID``.
        pixel_bytes: what a forward pass takes for a pixel at its peak, float32, rounded up.
        order: memory order that a CPU is fastest with.
        finished: whether what it paints is paler than the style, and its bands are to be moved to
            the style's afterwards (:mod:`vidstyle.style.finish`).
        attention: how much style each cell takes, (features, moved features) → (N, 1, h, w) in
            [0, 2]; None for all of it.
    """

    channels: int
    reach: int
    pixel_bytes: int
    order: torch.memory_format = torch.contiguous_format
    finished = False

    def __init__(self) -> None:
        super().__init__()
        self.attention: nn.Module | None = None

    @abstractmethod
    def encode(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) → (N, C, H/8, W/8)."""

    @abstractmethod
    def decode(self, features: Tensor) -> Tensor:
        """(N, C, h, w) → (N, 3, 8h, 8w), not clamped."""
