"""The terms of the training objective, each a function of its own.

Convention: features are (N, C, h, w) from one layer of the teacher; every loss is a scalar, a
mean over the batch.
"""

from torch import Tensor


def gram(features: Tensor) -> Tensor:
    """Gram matrix, a mean over places: (N, C, h, w) → (N, C, C). Gatys 2016, eq. 3."""
    flat = features.flatten(2)
    return flat @ flat.mT / flat.shape[-1]


def centred(gram_matrix: Tensor, mean: Tensor) -> Tensor:
    """Covariance from a Gram matrix (N, C, C) and the channel means (N, C)."""
    return gram_matrix - mean[:, :, None] * mean[:, None]


def gram_distance(output: Tensor, style: Tensor, typical: float = 0.0) -> Tensor:
    """Relative squared distance of Gram matrices (N, C, C): ‖Go − Gs‖² / (‖Gs‖² + typical).

    Relative, so that layers of very different scale weigh alike.

    Args:
        typical: usual ‖Gs‖² of the layer. A style of very little energy, a dark or flat crop,
            would otherwise drown every other in the batch.
    """
    difference = (output - style).square().sum((1, 2))
    return (difference / (style.square().sum((1, 2)) + typical)).mean()


def content_distance(output: Tensor, content: Tensor) -> Tensor:
    """Mean squared difference of standardised features (N, C, h, w).

    Standardised per channel, so that the change of colour and contrast which the style is there
    to make does not count as lost content (Huang 2017 compare with the AdaIN target instead).
    """
    return (_standardised(output) - _standardised(content)).square().mean()


def temporal_distance(output: Tensor, reference: Tensor) -> Tensor:
    """Mean squared difference of (N, 3, H, W) pictures that ought to be the same.

    The output-level temporal loss (Ruder 2016, eq. 7), on pairs whose motion is synthetic and
    therefore exact, with noise on one side: compound regularisation (Wang 2020, ReReVST).
    """
    return (output - reference).square().mean()


def out_of_range(image: Tensor) -> Tensor:
    """Mean squared excess of an unclamped picture (N, 3, H, W) beyond [0, 1]."""
    return (image - image.clamp(0, 1)).square().mean()


def _standardised(features: Tensor) -> Tensor:
    mean, deviation = features.mean((2, 3), keepdim=True), features.std((2, 3), keepdim=True)
    floor = 1e-3 * deviation.mean(1, keepdim=True) + 1e-6
    return (features - mean) / (deviation + floor)
