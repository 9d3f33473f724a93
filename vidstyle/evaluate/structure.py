"""Measures of how much of a plate's structure a result preserves."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from skimage.metrics import structural_similarity
from torch import Tensor

from vidstyle.evaluate.metrics import masked_mean

#: Standard deviation in pixels of the Gaussian that removes texture and keeps the layout.
LOW_PASS = 8.0

#: Width of the frame's border in which SSIM's window extends beyond the frame, in pixels.
SSIM_BORDER = 5


def ssim_map(result: Tensor, plate: Tensor) -> tuple[Tensor, Tensor]:
    """SSIM (Wang et al. 2004) in Gaussian windows of 11 pixels, σ = 1.5, averaged over channels.

    Args:
        result, plate: (1, 3, H, W) in [0, 1], H and W at least 11.

    Returns:
        The map (1, 1, H, W), and a mask of the same shape that is 0 along the border, where the
        window is incomplete. Their masked mean is scikit-image's mean SSIM.
    """
    _, similarity = structural_similarity(
        result[0].numpy(),
        plate[0].numpy(),
        channel_axis=0,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    values = torch.from_numpy(np.asarray(similarity, np.float32)).mean(dim=0)[None, None]
    whole = torch.zeros_like(values)
    whole[..., SSIM_BORDER:-SSIM_BORDER, SSIM_BORDER:-SSIM_BORDER] = 1
    return values, whole


def low_passed_ssim(result: Tensor, plate: Tensor, sigma: float = LOW_PASS) -> float:
    """Preservation of the plate's content: SSIM of both pictures without their fine detail.

    SSIM of the pictures themselves penalises every brush stroke and prefers a merely tinted plate.

    Args:
        result, plate: (1, 3, H, W) in [0, 1], H and W at least 11.
        sigma: of the Gaussian, in pixels.

    Returns:
        At most 1; see :func:`ssim_map`.
    """
    values, whole = ssim_map(_low_passed(result, sigma), _low_passed(plate, sigma))
    return float(masked_mean(values, whole))


def _low_passed(image: Tensor, sigma: float) -> Tensor:
    pixels = np.ascontiguousarray(image[0].permute(1, 2, 0))
    return torch.from_numpy(cv2.GaussianBlur(pixels, (0, 0), sigma)).permute(2, 0, 1)[None]


def gradient_correlation(result: Tensor, plate: Tensor, mask: Tensor) -> float:
    """Preservation of edges: 1 if all stay in place, 0 for chance (Penney et al. 1998).

    The mean correlation of the two components of the luma gradient (central differences).

    Args:
        result, plate: (1, 3, H, W) in [0, 1].
        mask: (1, 1, H, W): pixels above 0 count.

    Returns:
        In [−1, 1]; NaN if a picture is flat.
    """
    inside = mask[0, 0].numpy() > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        both = [
            np.corrcoef(ours[inside], theirs[inside])[0, 1]
            for ours, theirs in zip(_gradient(result), _gradient(plate), strict=True)
        ]
    return float(np.mean(both))


def _gradient(image: Tensor) -> list[NDArray[np.float32]]:
    """Along rows and along columns, (H, W) each."""
    luma = cv2.cvtColor(np.ascontiguousarray(image[0].permute(1, 2, 0)), cv2.COLOR_RGB2GRAY)
    down, across = np.gradient(luma)
    return [np.asarray(down), np.asarray(across)]
