"""Painting a picture with patches of another, coarse to fine.

Image Analogies (Hertzmann et al., SIGGRAPH 2001) without a pair: at each scale, every point takes
the style patch that best matches the existing paint there and the subject, in colour and in a
network's features; overlapping patches vote (Kwatra et al., "Texture optimization for
example-based synthesis", SIGGRAPH 2005). Reusing a patch is penalised, as in StyLit (Fišer et al.,
SIGGRAPH 2016), so that nothing tiles.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.carry.following import smoothed
from vidstyle.carry.matching import Basis, Choices, Lattice, patches

#: Rounds of choosing patches at each scale, the coarsest first; each scale has twice the resolution
#: of the one before.
ROUNDS = (6, 4, 3)
#: Pixels between points, which sets the size of patches; and the same for the final detail pass.
STRIDE, FINE_STRIDE = 4, 2
#: Rounds of the detail pass.
FINE_ROUNDS = 2
#: Total of these.
ROUNDS_IN_ALL = sum(ROUNDS) + FINE_ROUNDS
#: Approximate maximum of style patches to search, evenly spaced.
CHOICES = 30_000
#: Principal components kept of patches of paint, of colours, and of features.
PAINTS, COLOURS, FEATURES = 48, 16, 32
#: Weights of differences at a ``structure`` of 1: in colours, with fine variation smoothed away so
#: that strokes are free to vary, and in features. Existing paint has a weight of 1.
COLOUR, FEATURE = 3.6, 1.0
#: Sigma of that smoothing, in pixels.
SMOOTHING = 4.0
#: Extra weight of features, and of colours with fine variation, where there is most detail; and the
#: factor on all of these weights for the small patches.
DETAILED, FINE = 2.0, 3.0
#: Detail, in a range of 1, above which small patches are used.
FINE_DETAIL = 0.2
#: Extra cost of a patch for each previous use, as a share of the mean cost.
AGAIN = 0.05
#: Patches that are composited at a time.
PORTION = 4096
#: Noise that painting starts from, so that even areas use many patches rather than one.
NOISE = 0.08

See = Callable[[Tensor], Tensor]
"""A network's features of a picture: from (1, 3, H, W) to (1, C, h, w)."""


@dataclass(frozen=True)
class Known:
    """Existing paint.

    Attributes:
        paint: (1, 3, H, W) in [0, 1].
        cover: its opacity, (1, 1, H, W) in [0, 1].
    """

    paint: Tensor
    cover: Tensor

    def over(self, paint: Tensor) -> Tensor:
        """Composite it over another painting."""
        return torch.lerp(paint, self.paint, self.cover)


@dataclass(frozen=True)
class Subject:
    """The subject of a painting.

    Attributes:
        picture: in the style's colours, (1, 3, H, W) in [0, 1].
        matte: where to paint, (1, 1, H, W) in [0, 1].
        detail: how much detail to preserve, (1, 1, H, W) in [0, 1].
        known: existing paint, or None.
    """

    picture: Tensor
    matte: Tensor
    detail: Tensor
    known: Known | None = None

    def reduced(self, factor: int) -> "Subject":
        """The subject at 1/factor of its size."""
        known = self.known and Known(
            _reduced(self.known.paint, factor), _reduced(self.known.cover, factor)
        )
        picture, detail = (_reduced(plane, factor) for plane in (self.picture, self.detail))
        # Keeps thin parts in the matte at all scales.
        matte = F.max_pool2d(self.matte, factor, ceil_mode=True)
        return Subject(picture, matte, detail, known)

    def with_known(self, paint: Tensor) -> Tensor:
        """A painting of it, with existing paint composited over."""
        return paint if self.known is None else self.known.over(paint)


def synthesised(
    subject: Subject,
    style: Tensor,
    see: See,
    structure: float,
    seed: int,
    magnified: int = 1,
    advance: Callable[[int], None] = lambda _: None,
) -> Tensor:
    """Paint a picture.

    Args:
        style: (1, 3, magnified · h, magnified · w) in [0, 1].
        see: the features by which the two are compared.
        structure: 0 to 1, how strongly the picture prevails over the style.
        seed: for the initial noise, and the order in which points choose.
        magnified: an integer. Patches are chosen at the subject's scale, and copied from the style
            at this many times that scale.
        advance: called with the number of rounds done, :data:`ROUNDS_IN_ALL` in total.

    Returns:
        (1, 3, magnified · H, magnified · W) in [0, 1]; the picture itself outside the matte.
    """
    noise = torch.Generator().manual_seed(seed)
    paint = None
    for level, rounds in enumerate(ROUNDS):
        factor = 2 ** (len(ROUNDS) - 1 - level)
        here, there = subject.reduced(factor), _reduced(style, factor * magnified)
        scale = _Scale(here, there, see, STRIDE, structure, seed)
        if paint is None:
            paint = here.picture + NOISE * torch.randn(here.picture.shape, generator=noise)
        else:
            paint = F.interpolate(paint, here.picture.shape[2:], mode="bilinear")
        for turn in range(rounds):
            # Paint from a coarser scale lacks the detail of this one.
            lacking = turn == 0 and level > 0
            found = scale.chosen(here.with_known(paint), lacking=lacking)
            paint = scale.painted(found)
            advance(1)
    assert paint is not None
    large = scale.painted(found, style, magnified)
    detailed = subject.matte * (subject.detail > FINE_DETAIL)
    advance(FINE_ROUNDS)
    if structure and detailed.any():
        finer = paint
        fine = _Scale(
            Subject(subject.picture, detailed, subject.detail, subject.known),
            _reduced(style, magnified),
            see,
            FINE_STRIDE,
            FINE * structure,
            seed,
        )
        for _ in range(FINE_ROUNDS):
            found = fine.chosen(subject.with_known(finer))
            finer = fine.painted(found)
        share = _magnified((2 * subject.detail).clamp(0, 1), magnified)
        large = torch.lerp(large, fine.painted(found, style, magnified), share)
    return large.clamp(0, 1)


class _Scale:
    """A subject and the style at one scale, with the descriptors compared at each point."""

    def __init__(
        self, subject: Subject, style: Tensor, see: See, stride: int, structure: float, seed: int
    ) -> None:
        self._picture, self._style, self._seed = subject.picture, style, seed
        self._lattice = Lattice.over(subject.matte, stride)
        self._places = _places(style, stride)
        paints = patches(style, self._places)
        self._paint = Basis.of(paints, PAINTS)
        busy = subject.detail[0, 0, self._lattice.rows, self._lattice.columns]
        self._own: list[Tensor] = []
        self._wanted: list[Tensor] = []
        for there, here in (
            (smoothed(style, SMOOTHING), smoothed(subject.picture, SMOOTHING)),
            (smoothed(style, 1.0), smoothed(subject.picture, 1.0)),
        ):
            colours = patches(there, self._places)
            basis = Basis.of(colours, COLOURS)
            self._own.append(basis(colours))
            self._wanted.append(basis(patches(here, self._lattice)))
        seen = _seen(see, style, self._places)
        basis = Basis.of(seen, FEATURES)
        self._own.append(basis(seen))
        self._wanted.append(basis(_seen(see, subject.picture, self._lattice)))
        self._weights = [
            torch.ones_like(busy),
            COLOUR * structure * torch.ones_like(busy),
            COLOUR * structure * DETAILED * busy,
            FEATURE * structure * (1 + DETAILED * busy),
        ]
        self._choices = Choices([self._paint(paints), *self._own])

    @cached_property
    def _lacking(self) -> Choices:
        """The same, with the style's paint also lacking the detail of this scale."""
        blurred = F.interpolate(_reduced(self._style, 2), self._style.shape[2:], mode="bilinear")
        return Choices([self._paint(patches(blurred, self._places)), *self._own])

    def chosen(self, paint: Tensor, *, lacking: bool = False) -> Tensor:
        """One round: the index of the patch that each point chooses, (N,).

        Args:
            paint: (1, 3, H, W), existing paint.
            lacking: whether it lacks the detail of this scale.
        """
        here = self._paint(patches(paint, self._lattice))
        choices = self._lacking if lacking else self._choices
        return choices.nearest([here, *self._wanted], self._weights, AGAIN, self._seed)

    def painted(self, found: Tensor, style: Tensor | None = None, magnified: int = 1) -> Tensor:
        """The picture composed of the chosen patches.

        Args:
            style: the style at ``magnified`` times its size; None for the style at this scale.

        Returns:
            (1, 3, magnified · H, magnified · W)
        """
        taken = Lattice(self._places.stride, self._places.rows[found], self._places.columns[found])
        below = _magnified(self._picture, magnified)
        source = self._style if style is None else style
        return voted(below, _at(self._lattice, magnified), source, _at(taken, magnified))


def voted(picture: Tensor, lattice: Lattice, style: Tensor, taken: Lattice) -> Tensor:
    """Patches of a style composited over a picture; where they overlap, the nearest weighs most.

    Args:
        picture: (1, 3, H, W), kept where there are no patches.
        lattice: where the patches go.
        style: (1, 3, h, w).
        taken: where in the style each comes from.
    """
    side, (height, width) = lattice.patch, picture.shape[2:]
    reach = side // 2
    window = torch.hann_window(side + 2, periodic=False)[1:-1]
    window = (window[:, None] * window).flatten() ** 2
    step = torch.arange(side)
    wide = width + 2 * reach
    corner = lattice.rows * wide + lattice.columns
    total = torch.zeros(4, (height + 2 * reach) * wide)
    for part in torch.arange(len(corner)).split(PORTION):
        chosen = patches(style, Lattice(taken.stride, taken.rows[part], taken.columns[part]))
        colours = chosen.view(len(part), 3, -1) * side
        at = (corner[part, None, None] + step[:, None] * wide + step).flatten()
        for channel in range(3):
            total[channel].index_add_(0, at, (colours[:, channel] * window).flatten())
        total[3].index_add_(0, at, window.repeat(len(part)))
    total = total.view(1, 4, -1, wide)[..., reach : reach + height, reach : reach + width]
    weight = total[:, 3:]
    return torch.where(weight > 1e-4, total[:, :3] / weight.clamp_min(1e-4), picture)


def _places(style: Tensor, stride: int) -> Lattice:
    """The style patches to search: evenly spaced, and entirely inside the style."""
    reach = Lattice(stride, *torch.empty(2, 0)).patch // 2
    height, width = (max(1, side - 2 * reach) for side in style.shape[2:])
    step = max(1, math.ceil((height * width / CHOICES) ** 0.5))
    rows, columns = torch.meshgrid(
        torch.arange(0, height, step), torch.arange(0, width, step), indexing="ij"
    )
    return Lattice(stride, rows.flatten() + reach, columns.flatten() + reach)


def _at(lattice: Lattice, magnified: int) -> Lattice:
    """The same points in a picture magnified by a factor."""
    middle = magnified // 2
    return Lattice(
        lattice.stride * magnified,
        lattice.rows * magnified + middle,
        lattice.columns * magnified + middle,
    )


def _seen(see: See, picture: Tensor, lattice: Lattice) -> Tensor:
    """Features at the points of a lattice, normalised to unit length before sampling: (N, C)."""
    features = F.normalize(see(picture), dim=1)
    height, width = picture.shape[2:]
    at = torch.stack(
        [2 * (lattice.columns + 0.5) / width - 1, 2 * (lattice.rows + 0.5) / height - 1], 1
    )
    found = F.grid_sample(features, at[None, None], padding_mode="border", align_corners=False)
    return found[0, :, 0].T


def _reduced(planes: Tensor, factor: int) -> Tensor:
    return planes if factor == 1 else F.avg_pool2d(planes, factor, ceil_mode=True)


def _magnified(planes: Tensor, factor: int) -> Tensor:
    if factor == 1:
        return planes
    return F.interpolate(planes, scale_factor=factor, mode="bilinear")
