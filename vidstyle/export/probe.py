"""Pictures and maps for comparing runtimes and for calibrating a quantized network."""

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
    """Two probes of different size and batch: noise with a 1/f spectrum, like that of natural
    pictures (Field 1987)."""
    style = natural_noise((1, 3, 160, 128), seed=0) ** 2
    return [
        probe(stylizer, natural_noise(shape, seed), style)
        for seed, shape in enumerate([(2, 3, 20 * GRID, 15 * GRID), (1, 3, 9 * GRID, 31 * GRID)], 1)
    ]


def paired_probes(
    stylizer: Stylizer, pictures: Sequence[Tensor], styles: Sequence[Tensor]
) -> list[Probe]:
    """Every picture with a style, cycling through the styles; both (1, 3, H, W) in [0, 1]."""
    return [
        probe(stylizer, whole_steps(picture), styles[index % len(styles)])
        for index, picture in enumerate(pictures)
    ]


def probe(stylizer: Stylizer, images: Tensor, style: Tensor) -> Probe:
    """Images with the map from the first image, as a whole, to a style picture."""
    first = images[:1]
    transfer = stylizer.transfer(
        lambda: [(first, torch.ones_like(first[:, :1]))], stylizer.style(style)
    )
    return Probe(images, tuple(tensor.cpu() for tensor in maps_of(transfer.features)))


def whole_steps(picture: Tensor) -> Tensor:
    """Cropped at the right and bottom to a multiple of the grid."""
    height, width = (side // GRID * GRID for side in picture.shape[-2:])
    return picture[..., :height, :width]


def natural_noise(shape: tuple[int, int, int, int], seed: int) -> Tensor:
    """Spatially correlated noise, uniformly distributed in [0, 1]."""
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    rows, columns = torch.fft.fftfreq(shape[2])[:, None], torch.fft.rfftfreq(shape[3])
    radius = torch.hypot(rows, columns)
    radius[0, 0] = 1
    field = torch.fft.irfft2(torch.fft.rfft2(noise) / radius, s=shape[2:])
    order = field.flatten(2).argsort(-1).argsort(-1)
    values: Tensor = order / (order.shape[-1] - 1)
    return values.unflatten(2, shape[2:])  # type: ignore[no-any-return]
