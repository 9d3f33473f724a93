"""Keeping a decoder's grid out of the picture."""

import torch.nn.functional as F
from torch import Tensor

from vidstyle.style.network import GRID

#: Cells along each side that count as one neighbourhood.
REACH = 5


def off_grid(pictures: Tensor) -> Tensor:
    """Take from pictures what repeats from cell to cell.

    A decoder that paints a cell at a time tends to repeat a faint pattern in each (Odena 2016,
    "Deconvolution and checkerboard artifacts"), and a pattern that stands still while the object
    moves is flicker. What a pixel has in common with the pixels at the same place of the cells
    around, beyond the smooth part of the picture, cannot come from the picture: it is taken away.

    Args:
        pictures: (N, C, H, W), H and W multiples of ``GRID``, as the decoder painted them.

    Returns:
        (N, C, H, W); smooth pictures come out as they are.
    """
    cells = F.pixel_unshuffle(pictures, GRID)
    means = cells.unflatten(1, (-1, GRID**2)).mean(2)
    smooth = F.interpolate(means, scale_factor=GRID, mode="bilinear", align_corners=False)
    rough = cells - F.pixel_unshuffle(smooth, GRID)
    repeated = F.avg_pool2d(rough, REACH, 1, REACH // 2, count_include_pad=False)
    return pictures - F.pixel_shuffle(repeated, GRID)
