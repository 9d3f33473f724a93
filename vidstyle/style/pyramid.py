"""The way of a picture to a style: level by level, large strokes first and small ones over them.

Plain functions of a network and frozen maps; rendering and training both go through them.

Convention: plates are (N, 3, H, W) float RGB in [0, 1], H and W multiples of ``GRID``.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.style.grid import off_grid
from vidstyle.style.lapped import BANDS, STRIDE, WINDOW
from vidstyle.style.network import StyleNetwork
from vidstyle.style.transform import AffineMap, Statistics, transport

#: Levels of the pyramid, coarse to fine.
SCALES = (2, 1)

#: What plates are aligned to, so that the network's grid stays put while a box moves.
GRID = STRIDE * max(SCALES)


@dataclass(frozen=True)
class Transfer:
    """The frozen maps from one object in one shot to one style, at one level."""

    scale: int
    texture: AffineMap
    bands: AffineMap


@dataclass(frozen=True)
class Seen:
    """What the network sees in plates.

    Attributes:
        bands: (N, BANDS, H/4 + 1, W/4 + 1).
        texture: what the encoder makes of them, (N, texture, H/4 + 1, W/4 + 1).
    """

    bands: Tensor
    texture: Tensor


def see(network: StyleNetwork, plates: Tensor) -> Seen:
    bands = network.lapped(plates)
    return Seen(bands, network.encoder(plates, bands))


def texture_of(network: StyleNetwork, plates: Tensor) -> Tensor:
    """See :class:`Seen`."""
    return see(network, plates).texture


def painted(network: StyleNetwork, seen: Seen, texture_map: AffineMap) -> Tensor:
    """The bands with the style's texture painted over."""
    return network.paint(seen.bands, seen.texture, texture_map(seen.texture))


def attention(network: StyleNetwork, plates: Tensor, texture_map: AffineMap) -> Tensor:
    """How much style each block takes at one level, (N, 1, H/4 + 1, W/4 + 1) in [0, 2]."""
    texture = texture_of(network, plates)
    if network.attention is None:
        return torch.ones_like(texture[:, :1])
    amount: Tensor = network.attention(texture, texture_map(texture))
    return amount


def change(network: StyleNetwork, plates: Tensor, transfer: Transfer) -> Tensor:
    """What one level adds to plates that have its size."""
    seen = see(network, plates)
    moved = transfer.texture(seen.texture)
    blocks = step(network, seen.bands, network.strokes(seen.texture, moved), transfer.bands)
    if network.attention is not None:
        blocks = network.attention(seen.texture, moved).movedim(1, 3) * blocks
    return F.pixel_shuffle(off_grid(network.lapped.overlapped(blocks).float()), STRIDE)


def step(network: StyleNetwork, bands: Tensor, strokes: Tensor, bands_map: AffineMap) -> Tensor:
    """The pixels of what each block changes by, as :meth:`LappedTransform.overlapped` takes them.

    From bands z and strokes d the map makes y = T (z + H d) + b. All that follows up to the
    blocks' pixels B (y − z) is linear, so it is one matrix:

        B (T − 1) z + B T H d + B b

    Returns:
        (N, h, w, BANDS)
    """
    matrix = bands_map.matrix
    change = matrix - torch.eye(BANDS, dtype=matrix.dtype, device=matrix.device)
    to_pixels = network.lapped.blocks @ torch.cat([change, matrix @ network.head], dim=-1)
    offset = network.lapped.blocks @ bands_map.offset
    seen = torch.cat([bands, strokes], dim=1)
    places = seen.flatten(2).mT
    blocks = torch.baddbmm(offset.mT, places, to_pixels.mT.expand(places.shape[0], -1, -1))
    unfolded: Tensor = blocks.unflatten(1, seen.shape[2:])
    return unfolded


def through(network: StyleNetwork, plates: Tensor, transfers: tuple[Transfer, ...]) -> Tensor:
    """Plates after some levels of the pyramid, in [0, 1]."""
    for transfer in transfers:
        step = change(network, shrunk(plates, transfer.scale), transfer)
        plates = (plates + enlarged(step, transfer.scale)).clamp(0, 1)
    return plates


def transfers_of_each(
    network: StyleNetwork, plates: Tensor, styles: Tensor, masks: Tensor | None, ridge: float
) -> tuple[tuple[Transfer, ...], Tensor]:
    """Each plate's own maps to the style at the same place of the batch, as training needs them.

    Differentiable with respect to the network.

    Args:
        styles: (N, 3, h, w) in [0, 1], multiples of ``GRID``.
        masks: where in its plate each object is, (N, 1, H, W) in [0, 1], or None for everywhere.
        ridge: see :func:`~vidstyle.style.transform.optimal_map`.

    Returns:
        The maps, and the plates after them, (N, 3, H, W) in [0, 1].
    """
    done: tuple[Transfer, ...] = ()
    for scale in SCALES:
        plate, style = (see(network, shrunk(each, scale)) for each in (plates, styles))
        inside = None if masks is None else blocks_inside(masks, scale)
        content = Statistics.of_each(plate.texture, inside)
        texture = transport(content, Statistics.of_each(style.texture), ridge)
        content = Statistics.of_each(painted(network, plate, texture), inside)
        bands = transport(content, Statistics.of_each(style.bands), ridge)
        transfer = Transfer(scale, texture, bands)
        plates = through(network, plates, (transfer,))
        done = (*done, transfer)
    return done, plates


def blocks_inside(masks: Tensor, scale: int) -> Tensor:
    """As much of each block of a level's transform as lies inside, (N, 1, h, w) in [0, 1]."""
    return F.avg_pool2d(shrunk(masks, scale), WINDOW, STRIDE, STRIDE)


def shrunk(images: Tensor, scale: int) -> Tensor:
    return images if scale == 1 else F.avg_pool2d(images, scale)


def enlarged(images: Tensor, scale: int) -> Tensor:
    if scale == 1:
        return images
    return F.interpolate(images, scale_factor=scale, mode="bicubic", align_corners=False)
