"""What of a large picture statistics are gathered from: windows, spread evenly over it.

A smaller copy would do for colours, but not for what is gathered of texture and sharpness: that
differs from one size to the next.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from vidstyle.frame import Box
from vidstyle.style.model import Sample
from vidstyle.style.pyramid import GRID

#: Side of a window, and of the rim at its border that is seen but not counted, in pixels.
SIDE, RIM = 256, 16

#: Windows of a picture, about. With so many, a render of 12 megapixels is off one with statistics
#: of every pixel by two 8-bit levels in the mean, where the style itself moves it by fifty.
WINDOWS = 48


def windows(size: tuple[int, int]) -> list[Box]:
    """Boxes in the middle of the cells of a regular grid, aligned to ``GRID``; the whole picture
    where they would cover most of it.

    Args:
        size: (H, W) of the picture.
    """
    height, width = size
    if height * width <= WINDOWS * SIDE**2:
        return [Box(0, 0, width, height)]
    rows = max(1, round(math.sqrt(WINDOWS * height / width)))
    columns = max(1, round(WINDOWS / rows))
    return [
        Box(x0, y0, min(x0 + SIDE, width), min(y0 + SIDE, height))
        for y0 in _starts(height, rows)
        for x0 in _starts(width, columns)
    ]


def seen_through(picture: Tensor, matte: Tensor) -> Iterator[Sample]:
    """The windows that hold something of the object; the whole picture where none does.

    Args:
        picture: (1, 3, H, W) in [0, 1].
        matte: (1, 1, H, W) in [0, 1]: where the object is.
    """
    boxes = windows((picture.shape[-2], picture.shape[-1]))
    empty = True
    for box in boxes if len(boxes) > 1 else ():
        inside = torch.zeros_like(matte[..., box.rows, box.columns])
        counted = (..., slice(RIM, -RIM), slice(RIM, -RIM))
        inside[counted] = matte[..., box.rows, box.columns][counted]
        if inside.any():
            empty = False
            yield picture[..., box.rows, box.columns], inside
    if empty:
        yield picture, matte


def _starts(length: int, count: int) -> list[int]:
    """Where windows begin along a side, in the middle of ``count`` equal parts."""
    middles = (length * (2 * index + 1) / (2 * count) for index in range(count))
    return [max(0, int(middle - SIDE / 2) // GRID * GRID) for middle in middles]
