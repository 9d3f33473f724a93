"""Pictures and maps to compare runtimes with, and to calibrate a quantized one."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vidstyle.export.graph import maps_of
from vidstyle.style.network import GRID
from vidstyle.style.stylizer import Stylizer


@dataclass(frozen=True)
class Probe:
    """Arguments of a graph.

    Attributes:
        images: (N, 3, H, W) in [0, 1], H and W multiples of ``GRID``.
        maps: the frozen map, in the order of ``MAPS``.
    """

    images: Tensor
    maps: tuple[Tensor, ...]


def synthetic_probes(stylizer: Stylizer) -> list[Probe]:
    """Two, of different sizes and batches. Noise whose spectrum falls as 1/f, as that of natural
    pictures does (Field 1987)."""
    style = natural_noise((1, 3, 160, 128), seed=0) ** 2
    return [
        probe(stylizer, natural_noise(shape, seed), style)
        for seed, shape in enumerate([(2, 3, 20 * GRID, 15 * GRID), (1, 3, 9 * GRID, 31 * GRID)], 1)
    ]


def paired_probes(
    stylizer: Stylizer, pictures: Sequence[Tensor], styles: Sequence[Tensor]
) -> list[Probe]:
    """Every picture in a style, the styles taken in turn; both (1, 3, H, W) in [0, 1]."""
    return [
        probe(stylizer, whole_steps(picture), styles[index % len(styles)])
        for index, picture in enumerate(pictures)
    ]


def probe(stylizer: Stylizer, images: Tensor, style: Tensor) -> Probe:
    """Images with the maps from all of the first to a style picture."""
    first = images[:1]
    transfer = stylizer.transfer(
        lambda: [(first, torch.ones_like(first[:, :1]))], stylizer.style(style)
    )
    return Probe(images, tuple(tensor.cpu() for tensor in maps_of(transfer.features)))


def whole_steps(picture: Tensor) -> Tensor:
    """Cropped right and below to whole steps of the grid."""
    height, width = (side // GRID * GRID for side in picture.shape[-2:])
    return picture[..., :height, :width]


def natural_noise(shape: tuple[int, int, int, int], seed: int) -> Tensor:
    """Uniformly distributed values in [0, 1], alike nearby."""
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    rows, columns = torch.fft.fftfreq(shape[2])[:, None], torch.fft.rfftfreq(shape[3])
    radius = torch.hypot(rows, columns)
    radius[0, 0] = 1
    field = torch.fft.irfft2(torch.fft.rfft2(noise) / radius, s=shape[2:])
    order = field.flatten(2).argsort(-1).argsort(-1)
    values: Tensor = order / (order.shape[-1] - 1)
    return values.unflatten(2, shape[2:])  # type: ignore[no-any-return]
