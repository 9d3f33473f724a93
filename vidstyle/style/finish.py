"""The last step of a painting: colours, contrast and sharpness of the style, and tones that fit.

Plain functions of pictures; whatever painted them, they are frozen for a shot like the map of the
features.
"""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from vidstyle.style.lapped import STRIDE, WINDOW, LappedTransform
from vidstyle.style.tone import Tone
from vidstyle.style.transform import AffineMap

#: Ridge of the map of bands: bands that a painting hardly has are not to be blown up.
RIDGE = 0.3


@dataclass(frozen=True)
class Finish:
    """What is done to a painting.

    Attributes:
        bands: moves the bands of the lapped transform to the style's; None leaves them.
        tone: the curve that all ends with.
    """

    bands: AffineMap | None
    tone: Tone

    def __call__(self, painted: Tensor, lapped: LappedTransform) -> Tensor:
        """(N, 3, H, W), H and W multiples of 4, any values → [0, 1]."""
        if self.bands is not None:
            painted = moved(painted, self.bands, lapped)
        return self.tone(painted)


def moved(painted: Tensor, bands: AffineMap, lapped: LappedTransform) -> Tensor:
    """Pictures whose bands have gone through a map, not clamped."""
    return lapped.inverse(bands(lapped(painted)))


def blocks_inside(mask: Tensor) -> Tensor:
    """As much of each block of the transform as lies inside: (N, 1, H, W) in [0, 1] to
    (N, 1, H/4 + 1, W/4 + 1)."""
    return F.avg_pool2d(mask, WINDOW, STRIDE, STRIDE)
