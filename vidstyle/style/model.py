"""What any style model must be able to do, whoever wrote it."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

#: A picture (1, 3, H, W) in [0, 1], and where in it the object is, (1, 1, H, W) in [0, 1].
Sample = tuple[Tensor, Tensor]

#: What a model has read of a style, and what it has frozen for an object in a shot. Only the model
#: itself looks inside; never None.
ReadStyle = Any
Frozen = Any


@runtime_checkable
class StyleModel(Protocol):
    """Restyles an object in the frames of a shot.

    What it does to a frame may depend on that frame, and on what was frozen for the shot, and on
    nothing else: then nothing flickers, and any machine can render any frame. Packages bring
    models by the entry-point group ``vidstyle.style_models``, see :mod:`vidstyle.style.plugins`.
    """

    @property
    def device(self) -> torch.device:
        """Where pictures are expected."""
        ...

    @property
    def margin(self) -> int:
        """Pixels around an object that the model must see, so that where it is cut off does not
        show in the object."""
        ...

    @property
    def grid(self) -> int:
        """What boxes are aligned to, so that the model's own grid stays put while a box moves.
        Only a frame's right and lower edge may miss it."""
        ...

    @property
    def passes(self) -> int:
        """How often :meth:`transfer` goes through its samples; only progress asks."""
        ...

    def read_style(self, path: Path, picture: Callable[[], Tensor]) -> ReadStyle:
        """Read what ``--style`` names.

        Args:
            path: as the user gave it; it need not be a picture.
            picture: reads it as one, (1, 3, H, W) in [0, 1], brought to about the size of the
                frames; raises MediaError where it is none.

        Raises:
            MediaError: the file is of no use as a style.
        """
        ...

    def transfer(self, samples: Callable[[], Iterable[Sample]], style: ReadStyle, /) -> Frozen:
        """Freeze what depends on the object and its shot.

        Args:
            samples: pictures of the object in the shot, at least one, each time it is called.
        """
        ...

    def save(self, frozen: Frozen, /) -> dict[str, Tensor]:
        """What :meth:`transfer` froze, as tensors: a farm's tasks load them."""
        ...

    def load(self, tensors: Mapping[str, Tensor], /) -> Frozen:
        """What :meth:`save` saved, ready for use on ``device``.

        Args:
            tensors: on the CPU.

        Raises:
            KeyError, ValueError: they are not what this model saves.
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
