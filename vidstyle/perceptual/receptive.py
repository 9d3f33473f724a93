"""Receptive fields of layers, and the cells that see only the object."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Fewer cells than this hardly constrain a texture's Gram matrix.
LEAST_CELLS = 16


class ReceptiveField(NamedTuple):
    """The square of input pixels that cell i of a layer depends on, along each axis:
    ``i * stride + start ≤ pixel < i * stride + start + size``.

    Attributes:
        size: its side in pixels.
        stride: pixels between the fields of neighbouring cells.
        start: first pixel of cell 0's field; negative if layers pad.
    """

    size: int
    stride: int
    start: int

    def shrunk(self, factor: float) -> "ReceptiveField":
        """The square with the same centre and ``factor`` times the side, at least one pixel."""
        size = max(1, round(self.size * factor))
        return ReceptiveField(size, self.stride, self.start + (self.size - size) // 2)


def receptive_field(network: Iterable[nn.Module]) -> ReceptiveField:
    """The receptive field of the last layer of a chain of convolutions, poolings and pointwise
    activations, such as a slice of torchvision's ``vgg16().features``.

    Araujo, Norris & Sim 2019 (Distill): sizes add up and strides multiply layer by layer.

    Raises:
        ValueError: a layer of another kind, or a non-square kernel.
    """
    size, stride, start = 1, 1, 0
    for layer in network:
        if isinstance(layer, nn.ReLU):
            continue
        if not isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
            raise ValueError(f"the receptive field of a {type(layer).__name__} is not known")
        kernel = _side(layer.kernel_size)
        if not isinstance(layer, nn.AvgPool2d):
            kernel = (kernel - 1) * _side(layer.dilation) + 1
        start -= _side(layer.padding) * stride
        size += (kernel - 1) * stride
        stride *= _side(layer.stride)
    return ReceptiveField(size, stride, start)


def eroded(mask: Tensor, field: ReceptiveField, size: tuple[int, int]) -> Tensor:
    """The mask at a layer's resolution: cells whose entire receptive field is in the object.

    A cell gets the smallest value of the mask within its receptive field. Pixels beyond the frame
    are ignored, so that a mask of ones stays one and an object that leaves the frame is not eroded
    there.

    Thin objects would lose all their cells. If fewer than ``LEAST_CELLS`` remain in a picture, it
    falls back to half the receptive field, then a quarter (a cell depends mostly on the centre of
    its field: Luo 2016), and finally to the fraction of each cell's stride that the object covers.

    Args:
        mask: (N, 1, H, W) in [0, 1].
        field: of the layer, in pixels of the mask.
        size: (h, w) of the layer's features.

    Returns:
        (N, 1, h, w) in [0, 1]; zeros only where the mask itself is empty.
    """
    result = F.adaptive_avg_pool2d(mask, size)
    for factor in (0.25, 0.5, 1.0):  # the strictest one that leaves enough cells wins
        strict = _least(mask, field.shrunk(factor), size)
        enough = strict.sum((1, 2, 3), keepdim=True) >= LEAST_CELLS
        result = torch.where(enough, strict, result)
    return result


def _least(mask: Tensor, field: ReceptiveField, size: tuple[int, int]) -> Tensor:
    """Smallest value of the mask (N, 1, H, W) within each cell's field: (N, 1, h, w)."""
    (height, width), (h, w) = mask.shape[-2:], size
    bottom = (h - 1) * field.stride + field.start + field.size - height
    right = (w - 1) * field.stride + field.start + field.size - width
    # Padding with the largest value does not affect the minimum over pixels of the frame.
    padded = F.pad(mask, (-field.start, right, -field.start, bottom), value=1.0)
    return -F.max_pool2d(-padded, field.size, field.stride)


def _side(value: int | str | tuple[int, ...]) -> int:
    sides = {value} if isinstance(value, int | str) else set(value)
    side = sides.pop()
    if sides or isinstance(side, str):
        raise ValueError(f"{value}: only square kernels and padding by a number are known")
    return side
