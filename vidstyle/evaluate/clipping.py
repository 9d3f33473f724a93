"""Bleached whites and crushed blacks: the fraction of a picture at either end of its range."""

from typing import NamedTuple

from torch import Tensor

from vidstyle.media.frame import luma
from vidstyle.style.tone import BLACK, ROOM, WHITE


class Clipped(NamedTuple):
    """Shares of a picture's pixels, 0 to 1: bleached whites and crushed blacks."""

    white: float
    black: float


def clipped(image: Tensor, mask: Tensor | None = None) -> Clipped:
    """The fractions of a picture that are clipped.

    Measured on luma, not channels: a pure red has channels at both ends, but is neither bleached
    nor crushed; paper that has gone white but for a yellow tinge is.

    Args:
        image: (1, 3, H, W) RGB in [0, 1].
        mask: (1, 1, H, W): pixels above 0 count; None for all of them.

    Returns:
        NaN if the mask is empty.
    """
    light = 255 * luma(image)
    if mask is not None:
        light = light[mask > 0]
    ends = (light > WHITE, light < BLACK)
    return Clipped(*(float(end.float().mean()) for end in ends))


def allowed(style: Clipped, plate: Clipped) -> Clipped:
    """The fractions of a result that may be clipped: ``ROOM`` times the style's, which are
    intentional, or the plate's if larger."""
    return Clipped(*(max(ROOM * s, p) for s, p in zip(style, plate, strict=True)))
