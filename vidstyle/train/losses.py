"""Distances between what a teacher sees in two pictures.

Convention: features are (N, C, h, w) from one layer of the teacher.
"""

from torch import Tensor


def gram(features: Tensor) -> Tensor:
    """Gram matrix, a mean over places: (N, C, h, w) → (N, C, C). Gatys 2016, eq. 3."""
    flat = features.flatten(2)
    return flat @ flat.mT / flat.shape[-1]


def gram_distance(output: Tensor, style: Tensor) -> Tensor:
    """Relative squared distance of Gram matrices (N, C, C), a mean over N: ‖Go − Gs‖² / ‖Gs‖².

    Relative, so that layers of very different scale weigh alike.
    """
    difference = (output - style).square().sum((1, 2))
    return (difference / style.square().sum((1, 2))).mean()
