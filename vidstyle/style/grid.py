"""Removal of a decoder's grid artifacts."""

import torch.nn.functional as F
from torch import Tensor

from vidstyle.style.network import GRID

#: Side of a neighbourhood, in cells.
REACH = 5


def off_grid(pictures: Tensor) -> Tensor:
    """Remove from pictures what repeats from cell to cell.

    A decoder that paints a cell at a time tends to repeat a faint pattern in each (Odena 2016,
    "Deconvolution and checkerboard artifacts"), and a pattern that stands still while the object
    moves is flicker. What a pixel shares with the pixels at the same position in the surrounding
    cells, beyond the smooth part of the picture, is an artifact and is subtracted.

    Args:
        pictures: (N, C, H, W), H and W multiples of ``GRID``, as the decoder painted them.

    Returns:
        (N, C, H, W); smooth pictures are unchanged.
    """
    cells = F.pixel_unshuffle(pictures, GRID)
    means = cells.unflatten(1, (-1, GRID**2)).mean(2)
    smooth = F.interpolate(means, scale_factor=GRID, mode="bilinear", align_corners=False)
    rough = cells - F.pixel_unshuffle(smooth, GRID)
    repeated = F.avg_pool2d(rough, REACH, 1, REACH // 2, count_include_pad=False)
    return pictures - F.pixel_shuffle(repeated, GRID)
