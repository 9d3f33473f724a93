"""Sampling a picture along a flow."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor


def warp(
    image: Tensor, flow: Tensor, mode: Literal["bicubic", "bilinear", "nearest"] = "bicubic"
) -> Tensor:
    """``image`` sampled where ``flow`` points: out(x) = image(x + flow(x)).

    With the backward flow (frame t to t−1) this brings the previous frame onto the present one.
    Samples outside the frame take the nearest pixel of its border; :func:`inside` tells them.

    Bicubic keeps detail where repeated bilinear sampling softens. Its kernel is Catmull-Rom
    (Keys 1981, a = −0.5), which is exact for quadratics; PyTorch's own a = −0.75 is not, and
    feeding its results back, as a temporal step does, rings without bound. It overshoots at
    edges by a few per cent and is not clamped, so that warping stays linear and serves any
    range: clamp after blending.

    Args:
        image: (N, C, h, w) floating point, any range; its size need not be that of the flow.
        flow: (N, 2, H, W) in pixels; channel 0 points right, channel 1 down.

    Returns:
        (N, C, H, W) of the image's dtype.
    """
    columns, rows = _target(flow)
    sample = _catmull_rom if mode == "bicubic" else partial(_sample, mode=mode)
    return sample(image.float(), columns, rows).to(image.dtype)


def inside(flow: Tensor, size: Sequence[int] | None = None) -> Tensor:
    """Where the flow stays inside the frame.

    Args:
        flow: (N, 2, H, W) in pixels.
        size: (height, width) of the frame that it points into, where that differs from its own.

    Returns:
        (N, 1, H, W) float32: 1 where x + flow(x) lies on a pixel of the frame, else 0. A pixel
        reaches half a step from its centre: the noise of an estimator must not make the border
        of a still shot fail.
    """
    height, width = size or flow.shape[-2:]
    columns, rows = _target(flow)
    across = (columns >= -0.5) & (columns <= width - 0.5)
    down = (rows >= -0.5) & (rows <= height - 0.5)
    return (across & down).float()[:, None]


def _target(flow: Tensor) -> tuple[Tensor, Tensor]:
    """x + flow(x): columns and rows, each (N, H, W) float32."""
    height, width = flow.shape[-2:]
    columns = torch.arange(width, device=flow.device, dtype=torch.float32)
    rows = torch.arange(height, device=flow.device, dtype=torch.float32)
    return columns + flow[:, 0].float(), rows[:, None] + flow[:, 1].float()


def _sample(
    image: Tensor, columns: Tensor, rows: Tensor, mode: Literal["bilinear", "nearest"] = "bilinear"
) -> Tensor:
    height, width = image.shape[-2:]
    grid = torch.stack([_normalised(columns, width), _normalised(rows, height)], dim=-1)
    return F.grid_sample(image, grid, mode=mode, padding_mode="border", align_corners=False)


def _normalised(position: Tensor, side: int) -> Tensor:
    """As grid_sample counts: pixel centres sit at half integers of the frame from −1 to 1
    (align_corners=False). That also holds for a frame one pixel wide, where align_corners=True
    divides by zero."""
    return (2 * position + 1) / side - 1


def _catmull_rom(image: Tensor, columns: Tensor, rows: Tensor) -> Tensor:
    result = image.new_zeros(*image.shape[:2], *columns.shape[-2:])
    grid = columns.new_empty(*columns.shape, 2)
    for row, row_weight in _taps(rows, image.shape[-2]):
        grid[..., 1] = row
        for column, column_weight in _taps(columns, image.shape[-1]):
            grid[..., 0] = column
            sample = F.grid_sample(image, grid, padding_mode="border", align_corners=False)
            result.addcmul_(sample, (row_weight * column_weight)[:, None])
    return result


def _taps(position: Tensor, side: int) -> list[tuple[Tensor, Tensor]]:
    """Where to sample along one axis of ``side`` pixels, normalised, and the weight of each sample.

    The kernel's two middle taps are both positive, so one bilinear sample between them, at the
    right place, stands for both: nine samples in place of sixteen.
    """
    left = position.floor()
    t = position - left
    outer_left = t * (-0.5 + t * (1 - 0.5 * t))
    inner_left = 1 + t * t * (1.5 * t - 2.5)
    inner_right = t * (0.5 + t * (2 - 1.5 * t))
    outer_right = t * t * (0.5 * t - 0.5)
    inner = inner_left + inner_right
    taps = ((left - 1, outer_left), (left + inner_right / inner, inner), (left + 2, outer_right))
    return [(_normalised(place, side), weight) for place, weight in taps]
