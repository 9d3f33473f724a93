"""Bleached whites and crushed blacks: how much of a picture lies at an end of its range."""

from typing import NamedTuple

import torch
from torch import Tensor

#: Code values of 8 bits: a pixel is clipped when all its channels are above, or all below.
BLEACHED_ABOVE, CRUSHED_BELOW = 250, 5

#: How much more of a result may be clipped than of its style.
SLACK = 1.5


class Clipped(NamedTuple):
    """Shares of a picture's pixels, 0 to 1: bleached whites and crushed blacks."""

    white: float
    black: float


def clipped(image: Tensor, mask: Tensor | None = None) -> Clipped:
    """How much of a picture is clipped.

    A pixel counts when all three channels do: a pure red has channels at both ends, and is neither
    bleached nor crushed.

    Args:
        image: (1, 3, H, W) RGB in [0, 1].
        mask: (1, 1, H, W): pixels above 0 count; None for all of them.

    Returns:
        Not numbers where the mask is empty.
    """
    pixels = 255 * image
    whites = pixels.amin(dim=1, keepdim=True) > BLEACHED_ABOVE
    blacks = pixels.amax(dim=1, keepdim=True) < CRUSHED_BELOW
    inside = torch.ones_like(whites) if mask is None else mask > 0
    return Clipped(*(float(ends[inside].float().mean()) for ends in (whites, blacks)))


def allowed(style: Clipped, plate: Clipped) -> Clipped:
    """How much of a result may be clipped: ``SLACK`` times what the style has, which a painter has
    put there, or what the plate has, where that is more."""
    return Clipped(*(max(SLACK * s, p) for s, p in zip(style, plate, strict=True)))
