"""The graph that is exported: pictures and frozen maps in, pictures out.

The maps are inputs, not constants, so one file serves every style and every shot.

Convention: pictures are (N, 3, H, W) float32 RGB in [0, 1], H and W multiples of ``GRID``, two at
least.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from vidstyle.style.lapped import BANDS
from vidstyle.style.network import Architecture, StyleNetwork
from vidstyle.style.pyramid import GRID, SCALES, Transfer, through
from vidstyle.style.transform import AffineMap

#: Names of the maps' tensors, in the order of the graph's arguments: of each level the texture's
#: matrix (C, C) and offset (C), and those of the bands; ``x ↦ matrix x + offset`` at every place.
MAPS = tuple(
    f"{features}_{part}_{scale}"
    for scale in SCALES
    for features in ("texture", "bands")
    for part in ("matrix", "offset")
)

#: Names of all inputs, and of the output.
INPUTS = ("images", *MAPS)
OUTPUT = "styled"

#: A picture of this size is what graphs are traced with: no side equals another.
EXAMPLE_SIZE = (8 * GRID, 12 * GRID)

#: What runs a graph: as ``StyleGraph``'s forward, from and to tensors on the CPU or on the device.
Runtime = Callable[[Tensor, Sequence[Tensor]], Tensor]


class StyleGraph(nn.Module):
    """The pyramid with its maps as plain tensors."""

    def __init__(self, network: StyleNetwork) -> None:
        super().__init__()
        self.network = network

    @property
    def architecture(self) -> Architecture:
        return self.network.architecture

    def forward(self, images: Tensor, *maps: Tensor) -> Tensor:
        """
        Args:
            maps: in the order of ``MAPS``.
        """
        affine = [
            AffineMap(matrix, torch.zeros_like(offset), offset)
            for matrix, offset in zip(maps[::2], maps[1::2], strict=True)
        ]
        levels = zip(SCALES, affine[::2], affine[1::2], strict=True)
        return through(self.network, images, tuple(Transfer(*level) for level in levels))


def maps_of(transfers: Sequence[Transfer]) -> tuple[Tensor, ...]:
    """Frozen maps as the graph takes them, in the order of ``MAPS``."""
    return tuple(
        tensor
        for transfer in transfers
        for affine in (transfer.texture, transfer.bands)
        for tensor in (affine.matrix, affine.offset[..., 0])
    )


def example_maps(architecture: Architecture) -> list[Tensor]:
    """Maps that change nothing, of the sizes that a graph takes."""
    channels = (architecture.texture, BANDS) * len(SCALES)
    return [tensor for size in channels for tensor in (torch.eye(size), torch.zeros(size))]
