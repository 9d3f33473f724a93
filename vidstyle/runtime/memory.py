"""Making do with the available memory."""

import logging
from collections.abc import Callable
from typing import TypeVar

import torch

from vidstyle.errors import DeviceError

T = TypeVar("T")

#: Peak memory of a layer's steps in bytes per pixel, rounded up.
STEP_BYTES = 200

#: Most pixels in a batch of frames; two batches are in progress at a time.
FRAME_PIXELS = {"cpu": 2**23, "cuda": 2**25, "mps": 2**24}

log = logging.getLogger(__name__)


def frames_at_once(batch: int, size: tuple[int, int], device: torch.device) -> int:
    """How many frames (H, W) make a batch: ``batch``, or fewer large ones; at least one."""
    return max(1, min(batch, FRAME_PIXELS[device.type] // (size[0] * size[1])))


class Fitting:
    """Processes a batch: all at once, or in parts as large as memory allows.

    The result does not depend on the split if each picture of the batch is processed independently.
    """

    def __init__(self) -> None:
        self._most: int | None = None

    def __call__(self, work: Callable[[slice], T], count: int) -> list[T]:
        """Process ``count`` pictures; returns the results, part by part.

        Args:
            work: called with the slice of pictures to process.

        Raises:
            DeviceError: there is not enough memory for a single one.
        """
        done: list[T] = []
        start = 0
        while start < count:
            size = min(self._most or count, count - start)
            part = slice(start, start + size)
            result = _tried(work, part)
            if result is not None:
                done.append(result)
                start = part.stop
            elif size == 1:
                raise DeviceError(
                    "out of memory with one frame at a time; free the device, or use a smaller "
                    "--flow-size, another --device, or a smaller clip"
                )
            else:
                self._most = size // 2
                log.warning("out of memory with %d frames: %d at a time", size, self._most)
        return done


def is_out_of_memory(error: BaseException) -> bool:
    """PyTorch raises its own exception on CUDA, and a plain RuntimeError on CPU and MPS."""
    said = ("can't allocate memory", "MPS backend out of memory")
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
        words in str(error) for words in said
    )


def _tried(work: Callable[[slice], T], part: slice) -> T | None:
    """None when memory runs out. The failed call's memory is free again when this returns, since
    only the exception holds it."""
    try:
        return work(part)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
    return None
