"""Pictures and masks as arrays and tensors, as passed by an application using the library."""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.errors import UsageError
from vidstyle.media.frame import full_scale

#: Pictures as arrays (N, H, W, 3), or as tensors (N, 3, H, W).
Pictures = TypeVar("Pictures", NDArray[np.generic], Tensor)
#: The same, or one picture, without N.
Array = NDArray[np.generic] | Tensor
#: Masks as arrays or tensors (N, H, W), or tensors (N, 1, H, W).
Masks = NDArray[np.generic] | Tensor


def code_values(frames: Array, name: str = "frames", channels: tuple[int, ...] = (3,)) -> Tensor:
    """Code values (N, H, W, C) on the CPU, of a dtype that a frame may have.

    Args:
        name: the argument, for the error.
        channels: allowed channel counts.

    Raises:
        UsageError: the shape or dtype is not valid.
    """
    images = frames.movedim(1, -1) if isinstance(frames, Tensor) and frames.ndim == 4 else frames
    if images.ndim != 4 or images.shape[-1] not in channels or 0 in images.shape:
        count = " or ".join(map(str, channels))
        wanted = f"(N, {count}, H, W)" if isinstance(frames, Tensor) else f"(N, H, W, {count})"
        raise UsageError(f"{name} of shape {tuple(frames.shape)}: give {wanted}")
    codes = _on_cpu(images)
    if codes.dtype.is_floating_point:
        codes = codes.float()
    elif codes.dtype not in (torch.uint8, torch.uint16):
        raise UsageError(f"{name} of {frames.dtype}: give uint8, uint16 or floating point")
    return codes.contiguous()


def like(frames: Pictures, codes: Tensor) -> Pictures:
    """Code values (N, H, W, 3) converted to the kind, dtype and device of ``frames``."""
    if isinstance(frames, Tensor):
        return codes.movedim(-1, 1).contiguous().to(frames.device, frames.dtype)
    return codes.numpy().astype(frames.dtype, copy=False)


def eight_bit_masks(masks: Masks, count: int, size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    """Each mask (H, W), 255 inside.

    Args:
        count: number of frames.
        size: (H, W) of the frames.

    Raises:
        UsageError: their shape does not match the frames.
    """
    planes = _on_cpu(masks)
    if planes.ndim == 4 and planes.shape[1] == 1:
        planes = planes[:, 0]
    if tuple(planes.shape) != (count, *size):
        raise UsageError(
            f"masks of shape {tuple(masks.shape)}: the frames need {(count, *size)}, one for each"
        )
    most = 1 if planes.dtype is torch.bool else full_scale(planes.dtype)
    for plane in planes:
        yield (plane.float() / most * 255).round_().clamp_(0, 255).byte().numpy()


def _on_cpu(values: Array) -> Tensor:
    if isinstance(values, Tensor):
        return values.cpu()
    # PyTorch takes neither negative strides nor another machine's byte order.
    return torch.from_numpy(np.ascontiguousarray(values, values.dtype.newbyteorder("=")))
