"""Keeping the grid out: what repeats goes, what the picture holds stays."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.style.grid import off_grid
from vidstyle.style.lapped import STRIDE

RIM = 16


def freed(picture: Tensor) -> Tensor:
    """(1, 3, H, W), without what repeats."""
    return F.pixel_shuffle(off_grid(F.pixel_unshuffle(picture, STRIDE)), STRIDE)


def test_a_pattern_locked_to_the_grid_goes(photograph: Tensor) -> None:
    cell = torch.randn(1, 3, STRIDE, STRIDE)
    cell -= cell.mean((2, 3), keepdim=True)
    height, width = photograph.shape[-2:]
    pattern = cell.repeat(1, 1, height // STRIDE, width // STRIDE)
    left = freed(pattern)[..., RIM:-RIM, RIM:-RIM]
    assert left.abs().max() < 0.05 * pattern.abs().max()


def test_a_smooth_change_stays() -> None:
    rows = torch.arange(64.0)[:, None] / 64
    columns = torch.arange(96.0) / 96
    slope = (0.3 * rows - 0.2 * columns + 0.1).expand(1, 3, 64, 96)
    inner = (..., slice(RIM, -RIM), slice(RIM, -RIM))
    torch.testing.assert_close(freed(slope)[inner], slope[inner], atol=1e-5, rtol=0)


def test_texture_of_a_photograph_stays(photograph: Tensor) -> None:
    """Fur follows no grid: nearly all of its energy is kept."""
    texture = photograph - F.avg_pool2d(photograph, 9, 1, 4)
    kept = freed(texture)
    assert (kept * texture).sum() > 0.85 * texture.square().sum()
