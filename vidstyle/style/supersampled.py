"""Painting small objects larger than they are.

Features have one cell for 8×8 pixels: a face of seventy pixels has nine cells across, none of which
is an eye. Seen at twice its size it is painted with its eyes, by strokes that are fine against it;
brought back by averages it has no coarser an edge than the plate, and flickers less.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.style.model import Frozen, ReadStyle, Sample, StyleModel
from vidstyle.style.stylizer import Stylizer

#: So many pixels the area around an object may have when it is seen large: those of a frame of
#: 854×480, so that no object takes longer to paint than such a frame would.
SEEN_PIXELS = 854 * 480

#: The largest factor that is chosen, and the largest that may be asked for.
AUTOMATIC, LARGEST = 3, 4

#: Enlarged pixels that are painted in one call.
_CALL_PIXELS = 2**23

_FACTOR = "supersample"


def fitting_factor(pixels: int) -> int:
    """How many times its size an object is painted at, of itself.

    Args:
        pixels: of the box around it.
    """
    return next(n for n in range(AUTOMATIC, 0, -1) if n == 1 or n * n * pixels <= SEEN_PIXELS)


@dataclass(frozen=True)
class Enlarged:
    """What a model froze of an object that it sees ``factor`` times as large."""

    factor: int
    frozen: Frozen


class Supersampled:
    """Any :class:`~vidstyle.style.model.StyleModel`, which paints an object at a multiple of its
    size and averages down."""

    def __init__(self, model: StyleModel) -> None:
        self.model = model

    @property
    def device(self) -> torch.device:
        """See :class:`~vidstyle.style.model.StyleModel`, as of all below."""
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
        """How many times its size an object is painted at.

        Args:
            pixels: of the box around it.
            asked: what the user wants; None for what fits. A plug-in's model, of which nobody here
                knows what it sees, is then given the object as it is.
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
    """(N, C, H, W) in [0, 1]. What a pixel becomes depends on its neighbours alone, so boxes that
    are cut out and enlarged agree."""
    if factor == 1:
        return picture
    return F.interpolate(picture, scale_factor=factor, mode="bicubic").clamp_(0, 1)
