"""Painting one object in one frame in the style of a picture."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.carry.carrier import spread
from vidstyle.carry.following import smoothed
from vidstyle.media.frame import Box, luma
from vidstyle.painter.polish import STEPS, polished
from vidstyle.painter.synthesis import ROUNDS_IN_ALL, Known, Subject, synthesised
from vidstyle.perceptual.network import PerceptualNetwork
from vidstyle.segment.mattes.store import bounding_box
from vidstyle.style.transform import Statistics, transport

#: Area of the canvas for the box around an object, with strokes of 1, and its maximum enlargement:
#: half a minute on a CPU core, and enough for a face of forty pixels to have eyes.
PIXELS, LARGEST = 854 * 480, 3.0
#: Minimum short side of the canvas: smaller ones have no coarse scales.
LEAST_SIDE = 48
#: Short side of the style, in pixels of the canvas.
STYLE_SIDE = 480
#: Pixels of the plate around an object that are painted with it.
RIM = 24
#: Size of detail, in pixels of the canvas: finer than patches can show. And the contrast, in a
#: range of 1, that counts as full detail.
DETAIL, MOST = 12.0, 0.15
#: Width of an object's edge, in pixels of the canvas.
EDGE = 3
#: Share of the style's variance that is added to all variances: bounds the gain of colours.
RIDGE = 0.01

StyleAt = Callable[[float], Tensor]
"""The style picture at a multiple of :data:`STYLE_SIDE`: (1, 3, h, w) in [0, 1]."""


@dataclass(frozen=True)
class Painter:
    """Paints one object in a style.

    Attributes:
        style: see :data:`StyleAt`.
        network: for comparing the style's texture.
        strokes: their size; 1 adapts it to the object's.
        structure: 0 to 1, how strongly the plate prevails over the style.
        seed: a different one gives a different painting.
    """

    style: StyleAt
    network: PerceptualNetwork
    strokes: float = 1.0
    structure: float = 0.5
    seed: int = 0

    @property
    def rounds(self) -> int:
        """Total of the progress that :meth:`__call__` reports."""
        return ROUNDS_IN_ALL + STEPS

    def __call__(
        self,
        plate: Tensor,
        matte: Tensor,
        known: Known | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> Tensor:
        """Paint an object.

        Args:
            plate: (1, 3, H, W) in [0, 1].
            matte: of the object, (1, 1, H, W) in [0, 1]; not empty.
            known: existing paint, of the same size; it is kept.
            advance: called with the number of rounds done, :attr:`rounds` in total.

        Returns:
            (1, 3, H, W) in [0, 1]: the plate, painted over in a box around the object.
        """
        box = _around(matte)
        planes = [plate, matte, *([known.paint, known.cover] if known else [])]
        picture, inside, *before = (plane[..., box.rows, box.columns] for plane in planes)
        size = box.height, box.width
        scale = self._scale(box)
        canvas = tuple(max(1, round(scale * side)) for side in size)
        subject = self._subject(picture, inside, Known(*before) if before else None, canvas)
        magnified = max(1, -(-size[0] // canvas[0]))
        style = self._style(magnified)
        with torch.no_grad():
            paint = synthesised(
                subject, style, self._see, self.structure, self.seed, magnified, advance
            )
        paint = self._with_relief(_resized(paint, size), subject, scale, advance)
        result = plate.clone()
        result[..., box.rows, box.columns] = paint
        return known.over(result) if known else result

    def _scale(self, box: Box) -> float:
        """Canvas pixels per pixel of the plate, along each axis."""
        fitting = min(LARGEST, math.sqrt(PIXELS / box.area)) / self.strokes
        return max(fitting, LEAST_SIDE / min(box.height, box.width))

    def _style(self, magnified: int) -> Tensor:
        """The style at ``magnified`` times its size, cropped to multiples of that factor."""
        style = self.style(float(magnified))
        height, width = (side - side % magnified for side in style.shape[2:])
        return style[..., :height, :width]

    def _subject(
        self, picture: Tensor, inside: Tensor, known: Known | None, size: tuple[int, ...]
    ) -> Subject:
        picture, inside = (_resized(plane, size).clamp(0, 1) for plane in (picture, inside))
        alone = spread(picture, _core(inside))
        move = transport(
            Statistics.gather(picture, inside), Statistics.gather(self.style(1.0)), RIDGE
        ).to(alone.device)
        toned = move(alone).clamp(0, 1)
        if known is not None:
            known = Known(
                *(_resized(plane, size).clamp(0, 1) for plane in (known.paint, known.cover))
            )
        matte = (inside > 0.3 * inside.max()).float()
        return Subject(toned, matte, detail_of(toned, inside), known)

    def _see(self, picture: Tensor) -> Tensor:
        """Features of the layer whose receptive field is about the size of a patch."""
        device = next(self.network.parameters()).device
        seen: dict[str, Tensor] = self.network(picture.to(device))
        return seen[self.network.layers[2]].cpu()

    def _with_relief(
        self, paint: Tensor, subject: Subject, scale: float, advance: Callable[[int], None]
    ) -> Tensor:
        """A painting polished at the plate's size, or the subject's if that is smaller."""
        size = paint.shape[2:]
        factor = min(1.0, scale, math.sqrt(PIXELS / (size[0] * size[1])))
        small = tuple(max(1, round(factor * side)) for side in size)
        before = _resized(paint, small)
        after = polished(
            before,
            _resized(subject.picture, small),
            _resized(subject.matte, small),
            self.style(1.0),
            self.network,
            advance,
        )
        return (paint + _resized(after - before, tuple(size))).clamp(0, 1)


def detail_of(picture: Tensor, matte: Tensor) -> Tensor:
    """Where the object has detail that large patches would lose, such as eyes: (1, 1, H, W) in
    [0, 1].

    Args:
        picture: (1, 3, H, W) in [0, 1].
        matte: (1, 1, H, W) in [0, 1].
    """
    grey = luma(picture)
    band = (smoothed(grey, DETAIL / 6) - smoothed(grey, DETAIL)).square()
    around = smoothed(matte, DETAIL / 2).clamp_min(0.05)
    contrast = (smoothed(band * matte, DETAIL / 2) / around).sqrt()
    return (contrast / MOST).clamp(0, 1)


def _core(matte: Tensor) -> Tensor:
    """A matte, (1, 1, H, W), without its rim, where colours are mixed with the background's; parts
    that consist only of rim stay."""
    side = 2 * EDGE + 1
    inside = (matte > 0.5).float()
    firm = 1 - F.max_pool2d(1 - inside, side, 1, EDGE)
    reached = F.max_pool2d(firm, side + 2, 1, EDGE + 1)
    return torch.where(reached > 0, firm, inside)


def _around(matte: Tensor) -> Box:
    """The box that an object is painted in."""
    box = bounding_box((matte[0, 0] > 0).byte().numpy())
    assert box is not None
    return box.padded(RIM, 1, (matte.shape[2], matte.shape[3]))


def _resized(planes: Tensor, size: tuple[int, ...]) -> Tensor:
    """(1, C, H, W) resized to ``size`` (h, w)."""
    if planes.shape[2:] == size:
        return planes
    return F.interpolate(planes, size, mode="bicubic", antialias=True)
