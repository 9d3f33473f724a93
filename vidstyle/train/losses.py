"""The terms of the training objective, each a function of its own.

Convention: ``features`` are dictionaries ``{layer: (N, C, h, w)}`` from the teacher; every loss is
a scalar, a mean over the batch.
"""

from torch import Tensor

Features = dict[str, Tensor]


def gram(features: Tensor) -> Tensor:
    """Gram matrix, a mean over places: (N, C, h, w) → (N, C, C). Gatys 2016, eq. 3."""
    flat = features.flatten(2)
    return flat @ flat.mT / flat.shape[-1]


def gram_distance(output: Tensor, style: Tensor) -> Tensor:
    """Relative squared distance between Gram matrices (N, C, C) each: ‖Go − Gs‖² / ‖Gs‖².

    Relative, so that layers of very different scale weigh alike.
    """
    return ((output - style).square().sum((1, 2)) / style.square().sum((1, 2))).mean()


def covariance_distance(output: Tensor, style: Tensor) -> Tensor:
    """:func:`gram_distance` of centred features (N, C, h, w): texture apart from mean colour."""
    return gram_distance(gram(_centred(output)), gram(_centred(style)))


def moment_distance(output: Tensor, style: Tensor) -> Tensor:
    """Difference of channel means and deviations, relative to the style's. Huang 2017, eq. 13."""
    mean_o, mean_s = output.mean((2, 3)), style.mean((2, 3))
    std_o, std_s = output.std((2, 3)), style.std((2, 3))
    scale = std_s.square().sum(1) + mean_s.square().sum(1)
    squares = (mean_o - mean_s).square().sum(1) + (std_o - std_s).square().sum(1)
    return (squares / scale).mean()


def content_distance(output: Tensor, content: Tensor) -> Tensor:
    """Squared difference of standardised features (N, C, h, w).

    Standardised per channel, so that the change of colour and contrast which the style is there
    to make does not count as lost content (Huang 2017 compare with the AdaIN target instead).
    """
    return (_standardised(output) - _standardised(content)).square().mean()


def temporal_distance(output: Tensor, reference: Tensor, visible: Tensor) -> Tensor:
    """Output-level temporal loss: mean squared difference of (N, 3, H, W) pictures where
    ``visible`` (N, 1, H, W). ``reference`` is the other frame's result brought to this one.
    Ruder 2016, eq. 7; Wang 2020 (ReReVST) take the motion from a synthetic warp, as done here.
    """
    squares = (output - reference).square() * visible
    return squares.sum() / (3 * visible.sum()).clamp_min(1)


def total_variation(image: Tensor) -> Tensor:
    """Mean absolute difference between neighbouring pixels of (N, 3, H, W). Mahendran 2015."""
    across = (image[..., :, 1:] - image[..., :, :-1]).abs().mean()
    down = (image[..., 1:, :] - image[..., :-1, :]).abs().mean()
    return across + down


def _centred(features: Tensor) -> Tensor:
    return features - features.mean((2, 3), keepdim=True)


def _standardised(features: Tensor) -> Tensor:
    deviation = features.std((2, 3), keepdim=True)
    return _centred(features) / (deviation + 1e-3 * deviation.mean(1, keepdim=True) + 1e-6)
