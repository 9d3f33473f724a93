"""The last step of a painting: match the style's colours, contrast and sharpness, and fit tones.

These are functions of pictures alone, independent of the network, and are frozen for a shot like
the feature map.
"""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from vidstyle.style.lapped import STRIDE, WINDOW, LappedTransform
from vidstyle.style.tone import Tone
from vidstyle.style.transform import AffineMap

#: Ridge of the band map: keeps bands that a painting hardly uses from being amplified.
RIDGE = 0.3


@dataclass(frozen=True)
class Finish:
    """Post-processing of a painting.

    Attributes:
        bands: maps the bands of the lapped transform to the style's: decoders paint a little paler
            and softer than the style.
        tone: the tone curve, applied last.
    """

    bands: AffineMap
    tone: Tone

    def __call__(self, painted: Tensor, lapped: LappedTransform) -> Tensor:
        """(N, 3, H, W), H and W multiples of 4, any values → [0, 1]."""
        return self.tone(moved(painted, self.bands, lapped))


def moved(painted: Tensor, bands: AffineMap, lapped: LappedTransform) -> Tensor:
    """Pictures with a map applied to their bands, not clamped."""
    return lapped.inverse(bands(lapped(painted)))


def blocks_inside(mask: Tensor) -> Tensor:
    """Fraction of each block of the transform that lies inside: (N, 1, H, W) in [0, 1] to
    (N, 1, H/4 + 1, W/4 + 1)."""
    return F.avg_pool2d(mask, WINDOW, STRIDE, STRIDE)
