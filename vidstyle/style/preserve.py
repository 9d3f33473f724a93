"""Preserve the plate's colours or its structure."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.media.frame import luma

#: Radius in pixels of a window of :func:`keep_structure`. Its result at a pixel depends on twice
#: this radius.
RADIUS = 8

#: Variance of the plate's luma below which a window counts as flat: there the style's own texture
#: is smoothed away and the plate's noise is not amplified.
_FLAT = 1e-3

#: Smallest and largest gain on the plate's gradients: edges may be halved or doubled, but never
#: inverted.
_GAIN = (0.5, 2.0)


def preserved(kind: str, plates: Tensor, styled: Tensor) -> Tensor:
    """``styled`` with what ``kind`` preserves from the plates.

    Args:
        kind: one of :data:`vidstyle.choices.PRESERVED`.
        plates, styled: (N, 3, H, W) RGB in [0, 1].

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    match kind:
        case "color":
            return keep_colour(plates, styled)
        case "structure":
            return keep_structure(plates, styled)
    return styled


def keep_colour(plates: Tensor, styled: Tensor) -> Tensor:
    """The style's luma with the plate's colour differences (Gatys et al. 2016, "Preserving color
    in neural artistic style transfer": luminance-only transfer).

    Where that leaves [0, 1], the colour is desaturated as far as necessary, preserving luma and
    hue. Arguments as for :func:`preserved`.
    """
    light, chroma = luma(styled), plates - luma(plates)
    room = torch.where(chroma > 0, 1 - light, light) / chroma.abs().clamp_min(1e-6)
    saturation = room.amin(dim=1, keepdim=True).clamp(0, 1)
    return (light + saturation * chroma).clamp(0, 1)


def keep_structure(plates: Tensor, styled: Tensor) -> Tensor:
    """The style's tones on the plate's structure: edges stay in place, strokes are removed.

    The style's change S − P is approximated by a·Y + b, with the plate's luma Y and the best a and
    b in each window (the guided filter, He et al., TPAMI 2013): gradients of the result are those
    of the plate times 1 + a, which is bounded. Arguments as for :func:`preserved`.
    """
    guide, change = luma(plates), styled - plates
    mean_guide, mean_change = _mean(guide), _mean(change)
    variance = (_mean(guide * guide) - mean_guide * mean_guide).clamp_min(0)
    covariance = _mean(guide * change) - mean_guide * mean_change
    slope = (covariance / (variance + _FLAT)).clamp(_GAIN[0] - 1, _GAIN[1] - 1)
    offset = mean_change - slope * mean_guide
    return (plates + _mean(slope) * guide + _mean(offset)).clamp(0, 1)


def _mean(images: Tensor) -> Tensor:
    """Mean over windows, counting only pixels inside the picture."""
    side = 2 * RADIUS + 1
    across = F.avg_pool2d(images, (1, side), 1, (0, RADIUS), count_include_pad=False)
    return F.avg_pool2d(across, (side, 1), 1, (RADIUS, 0), count_include_pad=False)
