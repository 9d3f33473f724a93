"""Content losses: preserve a picture's content, and everything outside the object."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.train.losses.masked import masked_mean


def content_loss(output: Tensor, content: Tensor, *, normalised: bool = False) -> Tensor:
    """Mean squared difference of perceptual features, (N, C, h, w) each.

        ‖F(o) − F(c)‖² / (N C h w)

    Gatys 2016, eq. 1; Johnson 2016, eq. 2; Huang 2017, eq. 12.

    Args:
        normalised: compare the features after :func:`normalised_channels`. Their means and standard
            deviations represent style (Huang 2017), and preserving the content's would work
            against it; without them only the layout remains (Park & Lee 2019, eq. 6, and their
            released code).
    """
    if normalised:
        output, content = normalised_channels(output), normalised_channels(content)
    return F.mse_loss(output, content)


def normalised_channels(features: Tensor) -> Tensor:
    """Features (N, C, h, w) with mean 0 and standard deviation 1 over the cells of each channel.

    Ulyanov 2016, instance normalisation. Constant channels become 0.
    """
    return F.instance_norm(features)


def total_variation(images: Tensor) -> Tensor:
    """Mean squared difference of neighbours, (N, C, H, W), H and W at least 2.

        mean (x[i+1, j] − x[i, j])² + mean (x[i, j+1] − x[i, j])²

    Mahendran & Vedaldi 2015, with β = 2; for style transfer Johnson 2016, section 3.2.
    """
    down = (images[..., 1:, :] - images[..., :-1, :]).square().mean()
    across = (images[..., 1:] - images[..., :-1]).square().mean()
    return down + across


def pixel_identity(output: Tensor, original: Tensor) -> Tensor:
    """Mean squared difference of a picture and itself styled by itself, (N, 3, H, W) in [0, 1].

        ‖I_cc − I_c‖² / (N 3 H W)

    Park & Lee 2019 (SANet), eq. 8, first term (weight 1 there, against 50 for the second); applies
    to contents and styles alike.
    """
    return F.mse_loss(output, original)


def feature_identity(output: Mapping[str, Tensor], original: Mapping[str, Tensor]) -> Tensor:
    """:func:`pixel_identity` in perceptual features: the mean over the layers.

        mean_l ‖F_l(I_cc) − F_l(I_c)‖² / ‖F_l(I_c)‖²

    Park & Lee 2019 (SANet), eq. 8, second term; relative, so that deep layers, whose features are
    larger, do not dominate.

    Args:
        output: {layer: (N, C, h, w)} of the picture styled by itself.
        original: the same layers of the picture.
    """
    terms = [
        (output[layer] - seen).square().mean() / seen.square().mean().clamp(min=1e-6)
        for layer, seen in original.items()
    ]
    return torch.stack(terms).mean()


def outside_loss(output: Tensor, plate: Tensor, mask: Tensor) -> Tensor:
    """Mean squared difference outside the object, to penalise style leaking over the matte's edge.

        Σ (1 − M)(o − p)² / (3 Σ (1 − M))

    Args:
        output, plate: (N, 3, H, W) in [0, 1].
        mask: M, (N, 1, H, W) in [0, 1], 1 inside the object.
    """
    return masked_mean((output - plate).square(), 1 - mask)
