"""Supersampling: painting small objects at a multiple of their size.

Features have one cell per 8×8 pixels: a face of seventy pixels is nine cells across, too coarse to
resolve an eye. At twice its size it is painted with its eyes, in strokes that are fine relative to
it; averaged down again its edges are as fine as the plate's, and it flickers less.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.style.model import Frozen, ReadStyle, Sample, StyleModel
from vidstyle.style.stylizer import Stylizer

#: Largest area of an enlarged object's box, in pixels: that of an 854×480 frame. Painting it takes
#: somewhat longer than such a frame, since the network also sees a margin around the object.
SEEN_PIXELS = 854 * 480

#: The largest factor chosen automatically, and the largest that the user may request.
AUTOMATIC, LARGEST = 3, 4

#: Enlarged pixels that are painted in one call.
_CALL_PIXELS = 2**23

#: Reach of bicubic interpolation, in pixels.
_BICUBIC = 2

_FACTOR = "supersample"


def fitting_factor(pixels: int) -> int:
    """The factor by which an object is enlarged automatically.

    Args:
        pixels: area of the box around it.
    """
    return next(n for n in range(AUTOMATIC, 0, -1) if n == 1 or n * n * pixels <= SEEN_PIXELS)


@dataclass(frozen=True)
class Enlarged:
    """What a model froze for an object enlarged by ``factor``."""

    factor: int
    frozen: Frozen


def margin_around(model: StyleModel, frozen: Frozen) -> int:
    """Pixels around an object that the model must see of the plate, see ``StyleModel.margin``: the
    more an object is enlarged, the fewer."""
    if not isinstance(frozen, Enlarged) or frozen.factor == 1:
        return model.margin
    return math.ceil(model.margin / frozen.factor) + _BICUBIC


class Supersampled:
    """Wraps any :class:`~vidstyle.style.model.StyleModel` to paint an object at a multiple of its
    size and average down."""

    def __init__(self, model: StyleModel) -> None:
        self.model = model

    @property
    def device(self) -> torch.device:
        """See :class:`~vidstyle.style.model.StyleModel`, also for all members below."""
        return self.model.device

    @property
    def margin(self) -> int:
        return self.model.margin

    @property
    def grid(self) -> int:
        return self.model.grid

    @property
    def passes(self) -> int:
        return self.model.passes

    def factor(self, pixels: int, asked: int | None) -> int:
        """The factor by which an object is enlarged.

        Args:
            pixels: area of the box around it.
            asked: the user's choice; None chooses automatically. Plug-in models, whose receptive
                field is unknown, then get the object at its own size.
        """
        if asked is not None:
            return asked
        return fitting_factor(pixels) if isinstance(self.model, Stylizer) else 1

    def read_style(self, path: Path, picture: Callable[[], Tensor]) -> ReadStyle:
        return self.model.read_style(path, picture)

    def transfer(
        self, samples: Callable[[], Iterable[Sample]], style: ReadStyle, /, factor: int = 1
    ) -> Enlarged:
        """
        Args:
            samples: at the object's own size.
            factor: a whole number, 1 for the object's own size.
        """

        def enlarged() -> Iterator[Sample]:
            for picture, inside in samples():
                yield _enlarged(picture, factor), _enlarged(inside, factor)

        return Enlarged(factor, self.model.transfer(enlarged, style))

    def save(self, enlarged: Enlarged, /) -> dict[str, Tensor]:
        return {_FACTOR: torch.tensor(enlarged.factor), **self.model.save(enlarged.frozen)}

    def load(self, tensors: Mapping[str, Tensor], /) -> Enlarged:
        own = {name: tensor for name, tensor in tensors.items() if name != _FACTOR}
        return Enlarged(int(tensors[_FACTOR]), self.model.load(own))

    def __call__(self, images: Tensor, enlarged: Enlarged, /, strength: float = 1.0) -> Tensor:
        factor = enlarged.factor
        if factor == 1:
            return self.model(images, enlarged.frozen, strength)
        large = factor**2 * images.shape[-2] * images.shape[-1]
        styled = [
            F.avg_pool2d(self.model(_enlarged(part, factor), enlarged.frozen), factor)
            for part in images.split(max(1, _CALL_PIXELS // large))
        ]
        return torch.lerp(images.to(self.device), torch.cat(styled), strength)


def _enlarged(picture: Tensor, factor: int) -> Tensor:
    """(N, C, H, W) in [0, 1]. A pixel depends only on its neighbours, so enlarged crops agree with
    each other."""
    if factor == 1:
        return picture
    return F.interpolate(picture, scale_factor=factor, mode="bicubic").clamp_(0, 1)
