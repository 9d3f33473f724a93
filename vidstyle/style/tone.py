"""Tone mapping of a painting, without bleached whites or crushed blacks.

A decoder's output exceeds the range of a picture in places, and clipping it leaves flat patches
that the style does not have. Where too much would be clipped, the ends of the range are rolled off
smoothly instead, like a film's toe and shoulder.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vidstyle.media.frame import luma

#: Code values beyond which a pixel counts as white or as black, of 255.
WHITE, BLACK = 250, 5

#: The share of white (black) pixels in a result may be this multiple of the style's, or the
#: plate's share if that is larger.
ROOM = 1.5


@dataclass(frozen=True)
class Tone:
    """A tone curve: the identity between its knees, rolled off beyond them.

    It is concave at the upper end and convex at the lower: its effect on a colour's luma is at
    least its effect on a grey of that luma.

    Attributes:
        shadows: distance of the lower knee from 0; 0 clips.
        highlights: distance of the upper knee from 1; 0 clips.
    """

    shadows: float = 0.0
    highlights: float = 0.0

    def __call__(self, pictures: Tensor) -> Tensor:
        """Any shape, any values → [0, 1]; in place."""
        if self.highlights:
            pictures = _rolled_off(pictures, self.highlights)
        if self.shadows:
            pictures = 1 - _rolled_off(1 - pictures, self.shadows)
        return pictures.clamp_(0, 1)


@dataclass(frozen=True)
class Histogram:
    """Histogram of the luma of pictures; histograms can be added.

    Attributes:
        counts: (BINS,) float64, over :data:`RANGE`; values beyond it are counted at its ends.
    """

    counts: Tensor

    @classmethod
    def of(cls, pictures: Tensor, weights: Tensor | None = None) -> "Histogram":
        """Of (N, 3, H, W), weighted by ``weights`` (N, 1, H, W)."""
        low, high = RANGE
        place = ((luma(pictures.float()) - low) * (BINS / (high - low))).long().clamp_(0, BINS - 1)
        weighed = None
        if weights is not None:
            weighed = weights.flatten().cpu().double()
        counts = torch.bincount(place.flatten().cpu(), weighed, BINS)
        return cls(counts.double())

    def __add__(self, other: "Histogram") -> "Histogram":
        return Histogram(self.counts + other.counts)

    def share_above(self, value: float) -> float:
        """Fraction of values above ``value``, in [0, 1]."""
        first = math.ceil((value - RANGE[0]) * BINS / (RANGE[1] - RANGE[0]))
        return float(self.counts[first:].sum() / self.counts.sum())

    def quantile(self, part: float) -> float:
        """The value below which a fraction ``part`` of all values lies."""
        sums = self.counts.cumsum(0)
        index = int(torch.searchsorted(sums, part * sums[-1]))
        return RANGE[0] + (min(index, BINS - 1) + 1) * (RANGE[1] - RANGE[0]) / BINS

    def inverted(self) -> "Histogram":
        """The histogram of one minus the values."""
        return Histogram(self.counts.flip(0))


#: Range of :class:`Histogram`, symmetric about ½, and its number of bins: 8 per code value.
RANGE = (-1.0, 2.0)
BINS = 3 * 255 * 8


def fitting_tone(painted: Histogram, style: Histogram, plate: Histogram) -> Tone:
    """The gentlest curve that leaves no more of a painting white, or black, than the style and the
    plate allow (see :data:`ROOM`).

    Args:
        painted: of the decoder's output, not clipped.
    """
    return Tone(
        shadows=_knee(painted.inverted(), style.inverted(), plate.inverted(), 1 - BLACK / 255),
        highlights=_knee(painted, style, plate, WHITE / 255),
    )


def _knee(painted: Histogram, style: Histogram, plate: Histogram, white: float) -> float:
    room = max(ROOM * style.share_above(white), plate.share_above(white))
    if painted.share_above(white) <= room:
        return 0.0
    value = painted.quantile(1 - min(room, 0.5))
    low, high = 1e-3, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        rolled = float(_rolled_off(torch.tensor(value), middle))
        low, high = (middle, high) if rolled > white else (low, middle)
    return high


def _rolled_off(values: Tensor, knee: float) -> Tensor:
    """Values above 1 − knee approach 1; continuous first derivative."""
    above = (values - (1 - knee)).clamp_min(0) / knee
    return torch.where(above > 0, 1 - knee * torch.exp(-above), values)
