"""Making do with the memory that there is."""

import logging
from collections.abc import Callable
from typing import TypeVar

import torch

from vidstyle.errors import DeviceError

T = TypeVar("T")

#: What a layer's steps hold for a pixel at their peak, in bytes, rounded up.
STEP_BYTES = 200

#: Pixels of the frames of a batch, two of which are in progress at a time.
FRAME_PIXELS = {"cpu": 2**23, "cuda": 2**25, "mps": 2**24}

log = logging.getLogger(__name__)


def frames_at_once(batch: int, size: tuple[int, int], device: torch.device) -> int:
    """How many frames (H, W) make a batch: ``batch``, or fewer large ones; one at least."""
    return max(1, min(batch, FRAME_PIXELS[device.type] // (size[0] * size[1])))


class Fitting:
    """Does something to a batch: to all at once, or in as large parts as memory holds.

    What comes out does not depend on how it was parted, if what is done to one picture of the batch
    does not depend on the others.
    """

    def __init__(self) -> None:
        self._most: int | None = None

    def __call__(self, work: Callable[[slice], T], count: int) -> list[T]:
        """Work on ``count`` pictures; what it comes to, part by part.

        Args:
            work: called with the pictures to do.

        Raises:
            DeviceError: there is no room for a single one.
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
    """PyTorch has an exception of its own on CUDA, and on CPU and MPS a plain RuntimeError."""
    said = ("can't allocate memory", "MPS backend out of memory")
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
        words in str(error) for words in said
    )


def _tried(work: Callable[[slice], T], part: slice) -> T | None:
    """None when memory runs out. What the failed call held is free again when this returns,
    since the exception holds it."""
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
