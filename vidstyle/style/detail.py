"""How much of the photograph stays: the plate's fine detail, laid back into the painting."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.media.frame import luma

#: Deviation, in pixels, of the Gaussian that parts fine detail from the rest: strokes are wider,
#: eyelashes and grain are not.
SIGMA = 2.0

#: Pixels that a result depends on to each side.
REACH = 6


def with_detail(amount: float, plates: Tensor, styled: Tensor) -> Tensor:
    """The painting, with the plate's fine luminance in place of its own.

    Colours, and all that is coarser, stay the painting's. It is taken in place of the painting's,
    not added to it: an edge that both have would be drawn twice.

    Args:
        amount: 0 leaves the painting alone, 1 takes all of the plate's detail.
        plates, styled: (N, 3, H, W) RGB in [0, 1].

    Returns:
        (N, 3, H, W) in [0, 1]; where both are the same, that.
    """
    if amount == 0:
        return styled
    missing = luma(plates) - luma(styled)
    return (styled + amount * (missing - _blurred(missing))).clamp(0, 1)


def _blurred(images: Tensor) -> Tensor:
    """(N, 1, H, W), by a Gaussian; beyond the picture its border goes on."""
    offsets = torch.arange(-REACH, REACH + 1, dtype=images.dtype, device=images.device)
    kernel = torch.exp(-offsets.square() / (2 * SIGMA**2))
    kernel = kernel / kernel.sum()
    padded = F.pad(images, (REACH,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))
