"""Where a flow can be trusted (Ruder, Dosovitskiy and Brox, GCPR 2016, section 3)."""

import torch.nn.functional as F
from torch import Tensor

from vidstyle.motion.warp import inside, warp


def valid(forward: Tensor, backward: Tensor) -> Tensor:
    """Where the present frame t can be taken from frame t−1 along the backward flow.

    A pixel fails where it was hidden in frame t−1 (the two flows do not cancel; Ruder's eq. 5),
    at a motion boundary (the flow mixes two motions there; eq. 6), or where the backward flow
    leaves the frame.

    Args:
        forward: (N, 2, H, W) flow of frame t−1 to t, in pixels of its own grid.
        backward: (N, 2, H, W) flow of frame t to t−1.

    Returns:
        (N, 1, H, W) float32 on the grid of frame t: 1 where it can, else 0.
    """
    returning = warp(forward, backward, mode="bilinear")
    gap = _energy(returning + backward)
    consistent = gap < 0.01 * (_energy(returning) + _energy(backward)) + 0.5
    smooth = _gradient_energy(backward) <= 0.01 * _energy(backward) + 0.002
    return (consistent & smooth).float() * inside(backward)


def _energy(flow: Tensor) -> Tensor:
    """Squared length of each vector: (N, 1, H, W) in pixels²."""
    x, y = flow.split(1, dim=1)
    energy: Tensor = (x * x).addcmul_(y, y)
    return energy


def _gradient_energy(flow: Tensor) -> Tensor:
    """|∇u|² + |∇v|², by central differences: (N, 1, H, W)."""
    padded = F.pad(flow, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    return _energy(across).add_(_energy(down)).div_(4)
