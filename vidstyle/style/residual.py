"""The residual convolution, where the network spends most of its time."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Number of positions of a feature map from which Winograd's algorithm is faster.
LEAST_PLACES = 2048


class Residual(nn.Module):
    """x + conv(relu(x)), 3×3, replicated border. The weights start small, so that a deep stack
    starts near the identity and its output does not grow with depth (Zhang 2019, Fixup).

    On a CPU PyTorch convolves directly, and with this network's channels at peak throughput: only
    fewer multiplications make it faster. Winograd's algorithm (Lavin & Gray 2016) needs a fifth of
    them; NNPACK, which ships with PyTorch, takes 0.6 of the time with it, one picture at a time.
    The results differ by 1e-5 of the largest value.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="replicate")
        with torch.no_grad():
            self.conv.weight *= 0.3

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) → (N, channels, h, w)."""
        if not _winograd_pays(x):
            return self.conv(F.relu(x)).add_(x)  # type: ignore[no-any-return]
        moved = [
            torch._nnpack_spatial_convolution(picture, self.conv.weight, self.conv.bias, padding=0)
            for picture in _rectified_and_padded(x).split(1)
        ]
        return (moved[0] if len(moved) == 1 else torch.cat(moved)).add_(x)


def _winograd_pays(features: Tensor) -> bool:
    """False where gradients are required and in compiled graphs, which use plain convolution."""
    if torch.is_grad_enabled() or torch.compiler.is_compiling():
        return False
    places = features.shape[-2] * features.shape[-1]
    return (
        features.device.type == "cpu"
        and features.dtype == torch.float32
        and places >= LEAST_PLACES
        and not torch.is_autocast_enabled("cpu")
        and torch._nnpack_available()
    )


def _rectified_and_padded(x: Tensor) -> Tensor:
    """relu(x) with replicated border, in one pass over memory."""
    pictures, channels, height, width = x.shape
    padded = x.new_empty(pictures, channels, height + 2, width + 2)
    torch.clamp_min(x, 0, out=padded[..., 1:-1, 1:-1])
    for side in (padded, padded.mT):
        side[..., 0, :] = side[..., 1, :]
        side[..., -1, :] = side[..., -2, :]
    return padded
