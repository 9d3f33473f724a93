"""Losses that keep a stylised medical picture legible: edges, gradients and structure.

Colours come from the style; shapes, and which side of an edge is brighter, carry the findings.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from vidstyle.media.frame import luma


def laplacian_loss(output: Tensor, plate: Tensor, pools: Sequence[int] = (4, 16)) -> Tensor:
    """Squared difference of Laplacians after average pooling by each size in ``pools``.

        mean_p mean (D(pool_p(o)) − D(pool_p(c)))²,   D = Σ over RGB of the 5-point Laplacian

    Li 2017 (Laplacian-steered style transfer), with the two sizes that they combine: the small one
    preserves edges, the large one shapes. Means instead of their sums, to be independent of size.

    Args:
        output, plate: (N, 3, H, W) in [0, 1]; H and W at least three times the largest pool.
    """
    kernel = output.new_tensor([[0, 1, 0], [1, -4, 1], [0, 1, 0]]).expand(1, 3, 3, 3)
    # Pooling and filtering are linear: one pass over the difference suffices.
    difference = output - plate
    terms = [F.conv2d(F.avg_pool2d(difference, pool), kernel).square().mean() for pool in pools]
    return torch.stack(terms).mean()


def gradient_loss(output: Tensor, plate: Tensor) -> Tensor:
    """Mean squared difference of luminance gradients, in both directions.

        mean |∇Y(o) − ∇Y(p)|²

    Pérez 2003 (Poisson editing), eq. 3, with the plate's gradient for the guidance field. Signs
    count: an edge that turns from dark–bright to bright–dark is worse than one that vanishes.

    Args:
        output, plate: (N, 3, H, W) in [0, 1], H and W at least 2.
    """
    difference = luma(output - plate)
    down, across = difference.diff(dim=-2), difference.diff(dim=-1)
    return down.square().mean() + across.square().mean()


def structure_loss(output: Tensor, plate: Tensor) -> Tensor:
    """Structural dissimilarity: one minus SSIM's contrast and structure terms.

        1 − mean (2 σ_op + C₂) / (σ_o² + σ_p² + C₂)

    of the luminance, in Gaussian windows of σ = 1.5. Wang 2004, eqs. 9 and 10, without the
    brightness term: how bright a place is belongs to the style.

    Args:
        output, plate: (N, 3, H, W) in [0, 1], H and W at least 11.

    Returns:
        A scalar from 0 (the same) over 1 (unrelated) to 2 (inverted).
    """
    _, shared = structural_similarity_index_measure(
        luma(output),
        luma(plate),
        data_range=1.0,
        return_contrast_sensitivity=True,
    )
    loss: Tensor = 1 - shared.mean()
    return loss
