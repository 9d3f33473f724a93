"""Keeping the network's grid out of the picture."""

import torch.nn.functional as F
from torch import Tensor

from vidstyle.style.lapped import STRIDE

#: Blocks that count as one neighbourhood; a pattern that repeats over all of them is the grid's.
REACH = 3


def off_grid(change: Tensor) -> Tensor:
    """Take from a change of the picture what repeats from block to block.

    A decoder that writes one block every ``STRIDE`` pixels tends to repeat a faint pattern in each
    (Odena 2016 call it the checkerboard), and a pattern that stands still while the object moves
    is flicker. What a pixel has in common with the pixels at the same place of the blocks around,
    beyond the smooth part of the change, cannot come from the picture: it is taken away.

    Args:
        change: (N, C, h, w), through ``pixel_unshuffle`` by ``STRIDE``, aligned to the network's
            grid: a channel for each pixel of a block.

    Returns:
        (N, C, h, w); a smooth change comes out as it is.
    """
    means = change.unflatten(1, (-1, STRIDE**2)).mean(2)
    smooth = F.interpolate(means, scale_factor=STRIDE, mode="bilinear", align_corners=False)
    rough = change - F.pixel_unshuffle(smooth, STRIDE)
    return change - F.avg_pool2d(rough, REACH, 1, REACH // 2, count_include_pad=False)
