"""The exported graph: pictures and a frozen map in, pictures out.

The map is an input, not a constant, so one file serves every style and every shot.

Convention: pictures are (N, 3, H, W) float32 RGB in [0, 1], H and W multiples of ``GRID`` and at
least two of them; the output is not clamped.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from vidstyle.style.network import GRID, StyleNetwork
from vidstyle.style.painting import painted
from vidstyle.style.transform import AffineMap

#: Names of the map's tensors, in the order of the graph's arguments: a matrix (C, C) and an offset
#: (C); ``x ↦ matrix x + offset`` at every cell of the features.
MAPS = ("matrix", "offset")

#: Names of all inputs, and of the output.
INPUTS = ("images", *MAPS)
OUTPUT = "styled"

#: Size of the picture that graphs are traced with: its sides differ.
EXAMPLE_SIZE = (8 * GRID, 12 * GRID)

#: Runs a graph like ``StyleGraph.forward``, with tensors on the CPU or on the device.
Runtime = Callable[[Tensor, Sequence[Tensor]], Tensor]


class StyleGraph(nn.Module):
    """Encoder, map and decoder, with the map as plain tensors."""

    def __init__(self, network: StyleNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, matrix: Tensor, offset: Tensor) -> Tensor:
        """
        Args:
            matrix, offset: see ``MAPS``.
        """
        features = AffineMap(matrix, torch.zeros_like(offset), offset)
        return painted(self.network, images, features)


def maps_of(features: AffineMap) -> tuple[Tensor, ...]:
    """A frozen map as inputs of the graph, in the order of ``MAPS``."""
    return features.matrix, features.offset[..., 0]


def example_maps(channels: int) -> list[Tensor]:
    """The identity map, in the shapes of the graph's inputs."""
    return [torch.eye(channels), torch.zeros(channels)]
