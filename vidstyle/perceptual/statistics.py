"""Style distances between pictures: statistics of their perceptual features.

Statistics may be restricted to the object. Then the mask must be at the layer's resolution, and
eroded by its receptive field (:func:`vidstyle.perceptual.receptive.eroded`), or cells along the
matte's edge include what lies outside.
"""

from typing import NamedTuple

from torch import Tensor

#: Added to variances, so that their root has a gradient at zero (value from Huang 2017).
_EPSILON = 1e-5


class Moments(NamedTuple):
    """Mean and standard deviation of each channel, (N, C) each."""

    mean: Tensor
    std: Tensor


def gram(features: Tensor, mask: Tensor | None = None) -> Tensor:
    """Gram matrix, averaged over cells: (N, C, h, w) → (N, C, C). Gatys 2016, eq. 3.

        G = Σ M f fᵀ / Σ M

    With a mask it is the guided Gram matrix of Gatys 2017, section 4 (there T = √M).

    Args:
        mask: M, (N, 1, h, w) in [0, 1]; None for everywhere. An empty mask gives zeros.
    """
    # Weighted before multiplying: sums over many cells overflow half precision.
    flat = (features * _shares(features, mask).sqrt()).flatten(2)
    return flat @ flat.mT


def covariance(features: Tensor, mask: Tensor | None = None) -> Tensor:
    """Covariance of channels over cells: (N, C, h, w) → (N, C, C). The Gram matrix of centred
    features, so that correlations between channels are not dominated by their means.

    Args:
        mask: as in :func:`gram`.
    """
    mean = (_shares(features, mask) * features).sum((2, 3), keepdim=True)
    return gram(features - mean, mask)


def gram_distance(output: Tensor, style: Tensor, floor: float = 0.0) -> Tensor:
    """Squared distance of Gram matrices, or of covariances, (N, C, C), relative to the style's,
    averaged over N.

        ‖Go − Gs‖² / max(‖Gs‖², floor)

    Gatys 2016, eq. 4, made relative, so that layers of very different scale have equal weight.

    Args:
        floor: lower bound of the divisor, e.g. a tenth of the layer's ‖Gs‖² for a typical style.
            Without it a nearly empty style has an enormous loss.
    """
    difference = (output - style).square().sum((1, 2))
    return (difference / style.square().sum((1, 2)).clamp(min=floor)).mean()


def moments(features: Tensor, mask: Tensor | None = None) -> Moments:
    """Mean and standard deviation of each channel over cells: (N, C, h, w) → (N, C) each.

        μ = Σ M f / Σ M        σ² = Σ M (f − μ)² / Σ M + ε

    Huang 2017 (AdaIN), eqs. 5 and 6, without M there.

    Args:
        mask: as in :func:`gram`.
    """
    shares = _shares(features, mask)
    mean = (shares * features).sum((2, 3))
    variance = (shares * (features - mean[..., None, None]).square()).sum((2, 3))
    return Moments(mean, (variance + _EPSILON).sqrt())


def moment_distance(output: Moments, style: Moments, floor: float = 0.0) -> Tensor:
    """Squared distance of means and deviations, relative to the style's energy, averaged over N.

        (‖μo − μs‖² + ‖σo − σs‖²) / max(‖μs‖² + ‖σs‖², floor)

    Huang 2017 (AdaIN), eq. 13, squared and relative like :func:`gram_distance`.

    Args:
        floor: as in :func:`gram_distance`, of ‖μs‖² + ‖σs‖².
    """
    difference = (output.mean - style.mean).square() + (output.std - style.std).square()
    energy = style.mean.square() + style.std.square()
    return (difference.sum(1) / energy.sum(1).clamp(min=floor)).mean()


def _shares(features: Tensor, mask: Tensor | None) -> Tensor:
    """Weight of each cell in a mean: (N, 1, h, w), summing to 1 over cells."""
    weights = features.new_ones(features[:, :1].shape) if mask is None else mask.to(features)
    return weights / weights.sum((2, 3), keepdim=True).clamp(min=1e-6)
