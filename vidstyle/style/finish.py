"""The last steps of a painting: match the style's colours, contrast and sharpness, and fit tones.

Decoders paint a little paler and softer than the style. These steps are functions of pictures
alone, independent of the network, and are frozen for a shot like the feature map. Both matches are
by optimal transport, as that of the features is: first of colours at each scale, by the levels of
a Laplacian pyramid (Heeger & Bergen 1995 matched their histograms), whose filters prefer no
direction; then of the fine bands of the lapped transform, which have one. Lapped bands of larger
scales would come as near to the style, but leave stripes in plain areas.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from vidstyle.style import pyramid
from vidstyle.style.lapped import STRIDE, WINDOW, LappedTransform
from vidstyle.style.tone import Tone
from vidstyle.style.transform import AffineMap

#: Ridge of the maps: keeps what a painting hardly uses from being amplified.
RIDGE = 0.3

#: Parts of a picture, (N, C, h, w) each, and how much of each place of a part lies inside a matte,
#: (N, 1, h, w) in [0, 1].
Parts = list[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Finish:
    """Post-processing of a painting.

    Attributes:
        scales: maps the levels of the pyramid to the style's, one each, finest first.
        bands: maps the bands of the lapped transform to the style's.
        tone: the tone curve, applied last.
    """

    scales: Sequence[AffineMap]
    bands: AffineMap
    tone: Tone

    def __call__(self, painted: Tensor, lapped: LappedTransform) -> Tensor:
        """(N, 3, H, W), H and W multiples of ``GRID``, any values → [0, 1]."""
        return self.tone(moved(rescaled(painted, self.scales), self.bands, lapped))


def rescaled(painted: Tensor, scales: Sequence[AffineMap]) -> Tensor:
    """Pictures with a map applied to each of their levels, not clamped."""
    levels = zip(scales, pyramid.split(painted), strict=True)
    return pyramid.joined([scale(level) for scale, level in levels])


def moved(painted: Tensor, bands: AffineMap, lapped: LappedTransform) -> Tensor:
    """Pictures with a map applied to their bands, not clamped."""
    return lapped.inverse(bands(lapped(painted)))


def in_scales(picture: Tensor, mask: Tensor) -> Parts:
    """The levels of the pyramid of (N, 3, H, W); the mask is (N, 1, H, W) in [0, 1]."""
    levels = enumerate(pyramid.split(picture))
    return [(level, F.avg_pool2d(mask, 2**halved)) for halved, level in levels]


def in_bands(picture: Tensor, mask: Tensor, lapped: LappedTransform) -> Parts:
    """The same for the bands of the lapped transform, a single part."""
    return [(lapped(picture), F.avg_pool2d(mask, WINDOW, STRIDE, STRIDE))]
