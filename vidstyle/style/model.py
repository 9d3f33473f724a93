"""The interface that every style model implements."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

#: A picture (1, 3, H, W) in [0, 1] and the object's matte, (1, 1, H, W) in [0, 1].
Sample = tuple[Tensor, Tensor]

#: What a model has read from a style, and what it has frozen for an object in a shot. Opaque to
#: everything but the model; never None.
ReadStyle = Any
Frozen = Any


@runtime_checkable
class StyleModel(Protocol):
    """Restyles an object in the frames of a shot.

    Its result for a frame may depend only on that frame and on what was frozen for the shot: then
    nothing flickers, and any machine can render any frame. Packages provide models through the
    entry-point group ``vidstyle.style_models``, see :mod:`vidstyle.style.plugins`.
    """

    @property
    def device(self) -> torch.device:
        """The device that pictures are expected on."""
        ...

    @property
    def margin(self) -> int:
        """Pixels around an object that the model must see, so that the crop does not affect the
        object."""
        ...

    @property
    def grid(self) -> int:
        """Alignment of boxes, in pixels, so that the model's own grid stays put while a box moves.
        Only the frame's right and lower edges may be unaligned."""
        ...

    @property
    def passes(self) -> int:
        """How often :meth:`transfer` iterates over its samples; used only for progress."""
        ...

    def read_style(self, path: Path, picture: Callable[[], Tensor]) -> ReadStyle:
        """Read what ``--style`` names.

        Args:
            path: as the user gave it; it need not be a picture.
            picture: reads it as a picture, (1, 3, H, W) in [0, 1], resized to about the size of
                the frames; raises MediaError if it is not one.

        Raises:
            MediaError: the file cannot be used as a style.
        """
        ...

    def transfer(self, samples: Callable[[], Iterable[Sample]], style: ReadStyle, /) -> Frozen:
        """Freeze what depends on the object and its shot.

        Args:
            samples: returns pictures of the object in the shot, at least one, on every call.
        """
        ...

    def save(self, frozen: Frozen, /) -> dict[str, Tensor]:
        """What :meth:`transfer` froze, as tensors for the tasks of a farm to load."""
        ...

    def load(self, tensors: Mapping[str, Tensor], /) -> Frozen:
        """What :meth:`save` saved, ready for use on ``device``.

        Args:
            tensors: on the CPU.

        Raises:
            KeyError, ValueError: they were not saved by this model.
        """
        ...

    def __call__(self, images: Tensor, transfer: Frozen, /, strength: float = 1.0) -> Tensor:
        """Restyle a batch.

        Args:
            images: (N, 3, H, W) float32 RGB in [0, 1] on ``device``, any H and W.
            strength: 0 returns the images, 1 the full style.

        Returns:
            (N, 3, H, W) float32 in [0, 1] on ``device``.
        """
        ...
