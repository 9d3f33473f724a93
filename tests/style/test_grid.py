"""The grid: patterns that repeat from cell to cell go, everything else stays."""

import torch
from torch import Tensor

from vidstyle.style.grid import REACH, off_grid
from vidstyle.style.network import GRID


def test_what_repeats_is_taken_away(photograph: Tensor) -> None:
    torch.manual_seed(0)
    pattern = 0.1 * torch.randn(1, 3, GRID, GRID)
    pattern = pattern - pattern.mean((2, 3), keepdim=True)
    repeated = pattern.repeat(1, 1, 160 // GRID, 240 // GRID)
    torch.testing.assert_close(
        off_grid(photograph + repeated), off_grid(photograph), atol=1e-5, rtol=0
    )


def test_a_smooth_picture_comes_out_as_it_is() -> None:
    rows, columns = torch.meshgrid(torch.arange(160.0), torch.arange(240.0), indexing="ij")
    ramp = (rows / 300 + columns / 400)[None, None].repeat(1, 3, 1, 1)
    inner = (..., *(slice(REACH * GRID, -REACH * GRID),) * 2)
    torch.testing.assert_close(off_grid(ramp)[inner], ramp[inner], atol=1e-4, rtol=0)


def test_texture_that_is_no_grid_stays() -> None:
    torch.manual_seed(0)
    noise = torch.rand(1, 3, 160, 240)
    taken = (off_grid(noise) - noise).std() / noise.std()
    assert taken < 1.5 / REACH  # the mean of REACH² cells is all that goes
