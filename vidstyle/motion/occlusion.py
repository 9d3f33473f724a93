"""Where a flow can be trusted (Ruder, Dosovitskiy and Brox, GCPR 2016, section 3)."""

from collections.abc import Sequence
from typing import Any

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
    gap: Tensor = disagreement(backward.split(1, dim=1), returning.split(1, dim=1))
    smooth = _gradient_energy(backward) <= 0.01 * _energy(backward) + 0.002
    return ((gap < 1) & smooth).float() * inside(backward)


def disagreement(flow: Sequence[Any], returning: Sequence[Any]) -> Any:
    """How far a flow and the reverse flow at its end points are from cancelling, in units of the
    tolerance of Ruder's eq. 5: below 1 they agree.

    Args:
        flow, returning: the planes x and y of each, arrays or tensors, in pixels; both on the grid
            of ``flow``.
    """
    (x, y), (u, v) = flow, returning
    across, down = x + u, y + v
    lengths = (x * x + y * y) + (u * u + v * v)
    return (across * across + down * down) / (0.01 * lengths + 0.5)


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
