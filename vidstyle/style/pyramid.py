"""The Laplacian pyramid: a picture as details of ever larger size, and what remains.

Burt & Adelson, "The Laplacian pyramid as a compact image code" (1983).
"""

from collections.abc import Callable, Sequence

import torch.nn.functional as F
from torch import Tensor

#: Number of levels: a picture is halved one time less, so that it ends in the cells of ``GRID``.
LEVELS = 4


def halved(pictures: Tensor) -> Tensor:
    """(N, C, H, W), H and W even, by a kernel of four taps."""
    return F.interpolate(pictures, scale_factor=0.5, mode="bilinear", antialias=True)


def split(
    pictures: Tensor, levels: int = LEVELS, halved: Callable[[Tensor], Tensor] = halved
) -> list[Tensor]:
    """(N, C, H, W) to levels (N, C, H/2ᵏ, W/2ᵏ), finest first; the last is the small picture.

    Args:
        halved: how the next level is made; the default needs H and W that are multiples of
            ``2 ** (levels - 1)``.
    """
    details = []
    for _ in range(levels - 1):
        small = halved(pictures)
        details.append(pictures - _enlarged(small, pictures))
        pictures = small
    return [*details, pictures]


def joined(levels: Sequence[Tensor]) -> Tensor:
    """The inverse of :func:`split`: (N, C, H, W)."""
    *details, pictures = levels
    for detail in reversed(details):
        pictures = _enlarged(pictures, detail) + detail
    return pictures


def _enlarged(small: Tensor, level: Tensor) -> Tensor:
    return F.interpolate(small, level.shape[2:], mode="bilinear")
