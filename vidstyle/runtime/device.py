"""The device that networks run on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from vidstyle.errors import DeviceError


def select_device(name: str) -> torch.device:
    """``auto`` (CUDA when there is one), ``cpu``, ``cuda``, ``cuda:N``, or ``mps``, Apple's GPU.

    Raises:
        DeviceError: there is no such device on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceError(
            f"--device {name}: no such device; use auto, cpu, cuda[:N] or mps"
        ) from None
    if device.type == "cpu":
        return device
    if device.type == "mps":
        if torch.backends.mps.is_available():
            return device
        raise DeviceError(
            f"--device {name}: this PyTorch finds no usable Apple GPU; use --device cpu"
        )
    count = torch.cuda.device_count()
    if device.type != "cuda" or (device.index or 0) >= count:
        raise DeviceError(
            f"--device {name}: this machine has {count} CUDA devices; use --device cpu or auto"
        )
    return device


def copied_to(device: torch.device, tensor: Tensor) -> Tensor:
    """A tensor on a device. A copy to CUDA goes through pinned memory and is asynchronous: the next
    frames are decoded and cropped meanwhile."""
    if device.type == "cuda" and tensor.device.type == "cpu":
        # A crop would be pinned with everything between its rows, and copied once more.
        return tensor.contiguous().pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def holds(device: torch.device, kind: torch.dtype) -> bool:
    """Whether a device supports a dtype: Apple's has no double precision, and bytes as its only
    unsigned integers."""
    return device.type != "mps" or kind not in (torch.float64, torch.uint16)


def multiplies_in_bfloat16(device: torch.device) -> bool:
    """Whether a device has bfloat16 matrix units: CUDA since Ampere, and processors with AMX.
    Others convert before every product."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # PyTorch 2.9 does not tell.
    able: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return device.type == "cpu" and bool(able.get("amx_bf16"))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within the block, PyTorch's random generators start from a seed, for plug-ins that draw from
    them; afterwards they continue as if nothing had been drawn."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield
