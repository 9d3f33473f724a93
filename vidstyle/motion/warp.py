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

    With the backward flow (frame t to t−1) this aligns the previous frame with the current one.
    Samples outside the frame take the nearest pixel of its border; :func:`inside` marks them.

    Bicubic keeps detail where repeated bilinear sampling softens. Its kernel is Catmull-Rom
    (Keys 1981, a = −0.5), which is exact for quadratics; PyTorch's own a = −0.75 is not, and
    feeding its results back, as a temporal step does, rings without bound. It overshoots at
    edges by a few per cent and is not clamped, so that warping stays linear and works for any
    range: clamp after blending.

    Args:
        image: (N, C, h, w) floating point, any range; its size may differ from the flow's.
        flow: (N, 2, H, W) in pixels; channel 0 points right, channel 1 down.

    Returns:
        (N, C, H, W) of the image's dtype.
    """
    columns, rows = _target(flow)
    if mode == "bicubic":
        moved = _catmull_rom(image.float(), columns, rows)
    else:
        moved = _sample(image.float(), _grid(columns, rows, image.shape[-2:]), mode)
    return moved.to(image.dtype)


def inside(flow: Tensor, size: Sequence[int] | None = None) -> Tensor:
    """Where the flow stays inside the frame.

    Args:
        flow: (N, 2, H, W) in pixels.
        size: (height, width) of the frame that it points into, if different from its own.

    Returns:
        (N, 1, H, W) float32: 1 where x + flow(x) lies on a pixel of the frame, else 0. A pixel
        extends half a pixel from its centre: estimator noise must not make the border of a static
        shot fail.
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


def _grid(columns: Tensor, rows: Tensor, size: Sequence[int]) -> Tensor:
    """Positions in a picture of ``size`` in grid_sample's coordinates, (N, H, W, 2): pixel centres
    sit at half integers of the frame from −1 to 1 (align_corners=False). That also holds for a
    frame one pixel wide, where align_corners=True divides by zero."""
    height, width = size
    across, down = (2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1
    return torch.stack([across, down], dim=1).movedim(1, -1)


def _catmull_rom(image: Tensor, columns: Tensor, rows: Tensor) -> Tensor:
    """Catmull-Rom over 16 pixels from four bilinear samples.

    Along an axis, a fraction t past a pixel, the kernel is linear interpolation of the picture
    minus t (1 − t) / 2 times that of its second differences; two axes multiply.
    """
    size = image.shape[-2:]
    sample = partial(_sample, grid=_grid(columns, rows, size))
    bend_down, bend_across = _bend(rows, size[0]), _bend(columns, size[1])

    def bent_down(picture: Tensor) -> Tensor:
        bends = sample(_second_difference(picture, -2))
        return sample(picture).addcmul_(bends, bend_down, value=-1)

    bends = bent_down(_second_difference(image, -1))
    return bent_down(image).addcmul_(bends, bend_across, value=-1)


def _sample(
    image: Tensor, grid: Tensor, mode: Literal["bilinear", "nearest"] = "bilinear"
) -> Tensor:
    return F.grid_sample(image, grid, mode=mode, padding_mode="border", align_corners=False)


def _bend(position: Tensor, side: int) -> Tensor:
    """Factor of the second difference to subtract, (N, 1, H, W): 0 beyond the border."""
    t = position.clamp(0, side - 1).frac()
    return (t * (1 - t) / 2)[:, None]


def _second_difference(image: Tensor, axis: Literal[-2, -1]) -> Tensor:
    """f(i − 1) − 2 f(i) + f(i + 1); the border is replicated."""
    rim = (0, 0, 1, 1) if axis == -2 else (1, 1, 0, 0)
    side = image.shape[axis]
    wide = F.pad(image, rim, mode="replicate")
    outer = wide.narrow(axis, 0, side) + wide.narrow(axis, 2, side)
    return outer.sub_(image, alpha=2)
