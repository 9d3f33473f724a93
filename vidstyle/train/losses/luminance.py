"""The luminance that losses compare, where colour is the style's own affair."""

import torch
from torch import Tensor

#: BT.709's primaries.
WEIGHTS = (0.2126, 0.7152, 0.0722)


def luminance(images: Tensor) -> Tensor:
    """Y of RGB: (N, 3, H, W) → (N, 1, H, W), of the same range.

    Taken from code values, as ReCoNet does (Gao 2018, section 3.3), not from linear light: a
    difference of Y is then in the units that pictures are compared in.
    """
    return torch.einsum("nchw,c->nhw", images, images.new_tensor(WEIGHTS))[:, None]
