"""The way of a picture to a style: encode, move the features, decode.

Plain functions of a network and a frozen map; rendering, export and training go through them.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.style.network import GRID, StyleNetwork
from vidstyle.style.transform import AffineMap, Statistics, transport

#: Pixels around a cell's middle that most of what it sees comes from: half the receptive field of
#: relu4_1 (Luo et al. 2016, "Understanding the effective receptive field").
_EFFECTIVE = 34

#: A cell that sees the object in part counts as this power of the part.
_PURITY = 6


def painted(network: StyleNetwork, images: Tensor, features_map: AffineMap) -> Tensor:
    """Pictures in the style, (N, 3, H, W), not clamped."""
    features = network.encode(images)
    # Statistics are gathered in full precision, and so are they applied: under autocast too.
    with torch.autocast(images.device.type, enabled=False):
        moved = features_map(features.float())
    if network.attention is not None:
        amount = network.attention(features, moved)
        moved = torch.lerp(features.float(), moved, amount.float())
    return network.decode(moved)


def cells_inside(mask: Tensor) -> Tensor:
    """How far each cell of the features counts as the object's own.

    Features at the rim of an object have seen its background, which is not to be moved to the
    style's statistics with it. Where an object is too thin for any cell to see it alone, all count
    little, and the statistics are trusted as little (:func:`~vidstyle.style.transform.shrunk`).

    Args:
        mask: (N, 1, H, W) in [0, 1], multiples of ``GRID``. What lies beyond it counts as inside.

    Returns:
        (N, 1, H/8, W/8) in [0, 1].
    """
    rim = (_EFFECTIVE - GRID) // 2
    around = F.pad(mask, (rim,) * 4, value=1.0)
    return F.avg_pool2d(around, _EFFECTIVE, GRID) ** _PURITY


def painted_each(
    network: StyleNetwork, plates: Tensor, styles: Tensor, masks: Tensor | None, ridge: float
) -> tuple[AffineMap, Tensor]:
    """Each plate painted by its own map to the style at the same place of the batch, as training
    needs it; differentiable with respect to the network.

    Args:
        styles: (N, 3, h, w) in [0, 1], multiples of ``GRID``.
        masks: where in its plate each object is, (N, 1, H, W) in [0, 1], or None for everywhere.
        ridge: see :func:`~vidstyle.style.transform.optimal_map`.

    Returns:
        The maps, and the pictures, (N, 3, H, W) in [0, 1].
    """
    inside = None if masks is None else cells_inside(masks)
    content = Statistics.of_each(network.encode(plates), inside)
    maps = transport(content, Statistics.of_each(network.encode(styles)), ridge).to(plates.device)
    return maps, painted(network, plates, maps).clamp(0, 1)
