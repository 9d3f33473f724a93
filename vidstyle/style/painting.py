"""Stylise a picture: encode, transform the features, decode.

Pure functions of a network and a frozen map, shared by rendering, export and training.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.style.network import GRID, StyleNetwork
from vidstyle.style.transform import AffineMap, Statistics, transport

#: Side of a cell's effective receptive field, in pixels: half the receptive field of relu4_1 (Luo
#: et al. 2016, "Understanding the effective receptive field").
_EFFECTIVE = 34

#: The weight of a cell is the fraction of the object in its field, raised to this power.
_PURITY = 6


def painted(network: StyleNetwork, images: Tensor, features_map: AffineMap) -> Tensor:
    """Pictures in the style, (N, 3, H, W), not clamped."""
    features = network.encode(images)
    # Statistics are gathered and applied in full precision, even under autocast.
    with torch.autocast(images.device.type, enabled=False):
        moved = features_map(features.float())
    if network.attention is not None:
        amount = network.attention(features, moved)
        moved = torch.lerp(features.float(), moved, amount.float())
    return network.decode(moved)


def cells_inside(mask: Tensor) -> Tensor:
    """The weight of each feature cell in the object's statistics.

    Features at an object's edge also see its background, which must not enter the statistics.
    Where an object is too thin for any cell to see only it, all weights are small, and the
    statistics are regularised accordingly (:func:`~vidstyle.style.transform.shrunk`).

    Args:
        mask: (N, 1, H, W) in [0, 1], multiples of ``GRID``. Pixels beyond it count as inside.

    Returns:
        (N, 1, H/8, W/8) in [0, 1].
    """
    rim = (_EFFECTIVE - GRID) // 2
    around = F.pad(mask, (rim,) * 4, value=1.0)
    return F.avg_pool2d(around, _EFFECTIVE, GRID) ** _PURITY


def painted_each(
    network: StyleNetwork, plates: Tensor, styles: Tensor, masks: Tensor | None, ridge: float
) -> tuple[AffineMap, Tensor]:
    """Paint each plate with its own map to the style at the same index of the batch, for training;
    differentiable with respect to the network.

    Args:
        styles: (N, 3, h, w) in [0, 1], multiples of ``GRID``.
        masks: of the object in each plate, (N, 1, H, W) in [0, 1]; None for everywhere.
        ridge: see :func:`~vidstyle.style.transform.optimal_map`.

    Returns:
        The maps, and the pictures, (N, 3, H, W) in [0, 1].
    """
    inside = None if masks is None else cells_inside(masks)
    content = Statistics.of_each(network.encode(plates), inside)
    maps = transport(content, Statistics.of_each(network.encode(styles)), ridge).to(plates.device)
    return maps, painted(network, plates, maps).clamp(0, 1)
