"""The Laplacian pyramid: a picture as details of ever larger size, and what remains.

Burt & Adelson, "The Laplacian pyramid as a compact image code" (1983), with a kernel of four taps,
whose samples lie between the pixels of the level before, as those of ``GRID`` do.
"""

import torch.nn.functional as F
from torch import Tensor

#: Number of levels: a picture is halved one time less, so that it ends in the cells of ``GRID``.
LEVELS = 4


def split(pictures: Tensor) -> list[Tensor]:
    """(N, C, H, W), H and W multiples of ``GRID``, to levels (N, C, H/2ᵏ, W/2ᵏ), finest first; the
    last is the small picture."""
    levels = []
    for _ in range(LEVELS - 1):
        small = F.interpolate(pictures, scale_factor=0.5, mode="bilinear", antialias=True)
        levels.append(pictures - _doubled(small))
        pictures = small
    return [*levels, pictures]


def joined(levels: list[Tensor]) -> Tensor:
    """The inverse of :func:`split`: (N, C, H, W)."""
    *details, pictures = levels
    for detail in reversed(details):
        pictures = _doubled(pictures) + detail
    return pictures


def _doubled(pictures: Tensor) -> Tensor:
    return F.interpolate(pictures, scale_factor=2, mode="bilinear")
