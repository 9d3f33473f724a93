"""Detail transfer: blends the plate's fine detail back into the painting."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.media.frame import luma

#: Standard deviation, in pixels, of the Gaussian that separates fine detail from the rest: brush
#: strokes are wider, eyelashes and grain are not.
SIGMA = 2.0

#: Pixels on each side that a result depends on.
REACH = 6


def with_detail(amount: float, plates: Tensor, styled: Tensor) -> Tensor:
    """The painting with its fine luminance replaced by the plate's.

    Colours and coarser structure remain the painting's. The plate's detail replaces the painting's
    rather than being added to it: an edge that both have would be drawn twice.

    Args:
        amount: 0 leaves the painting unchanged, 1 takes all of the plate's detail.
        plates, styled: (N, 3, H, W) RGB in [0, 1].

    Returns:
        (N, 3, H, W) in [0, 1]; unchanged where both are equal.
    """
    if amount == 0:
        return styled
    missing = luma(plates) - luma(styled)
    return (styled + amount * (missing - _blurred(missing))).clamp(0, 1)


def _blurred(images: Tensor) -> Tensor:
    """Gaussian blur of (N, 1, H, W), with replicated borders."""
    offsets = torch.arange(-REACH, REACH + 1, dtype=images.dtype, device=images.device)
    kernel = torch.exp(-offsets.square() / (2 * SIGMA**2))
    kernel = kernel / kernel.sum()
    padded = F.pad(images, (REACH,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))
