"""The patch of the key that is most similar to each point of a frame: guided patch synthesis.

Image Analogies (Hertzmann et al., SIGGRAPH 2001) with the guides of Jamriška et al., "Stylizing
Video by Example" (SIGGRAPH 2019): colour and edges of the plate, position, and the frame before;
and a penalty on reusing a patch, as in StyLit (Fišer et al., SIGGRAPH 2016). The search is exact:
descriptors are short, so that all distances are one matrix product. (PatchMatch would be faster on
large pictures; it is patented, US 8,861,869.)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

#: Approximate maximum of lattice points in an object: search cost grows with their square.
POINTS = 12_000
#: Principal components kept of a patch of guides, and of paint.
GUIDES, PAINTS = 40, 24
#: Weights of the guides: the plate's colours, its edges, the position according to the flow (per
#: pixel² of distance over REACH²), and existing paint.
COLOUR, EDGE, POSITION, PAINT = 1.0, 1.5, 0.02, 0.5
REACH = 20.0
#: Penalty on a patch for each previous use, as a share of the mean distance.
AGAIN = 0.15
#: Patches are chosen in this many portions; uses are counted between them.
PORTIONS = 8
#: Rounds of search and vote.
ROUNDS = 2


@dataclass(frozen=True)
class Lattice:
    """The points of a frame for which patches are searched.

    Attributes:
        stride: pixels between them.
        rows, columns: (N,) of the points.
    """

    stride: int
    rows: Tensor
    columns: Tensor

    @property
    def patch(self) -> int:
        """Side of a patch: patches of adjacent points overlap by more than half."""
        return 2 * self.stride + 3

    @classmethod
    def over(cls, matte: Tensor, stride: int) -> "Lattice":
        """The lattice over an object and its rim, from its matte (1, 1, H, W)."""
        rim = F.max_pool2d(matte, 2 * stride + 1, 1, stride)
        rows, columns = (rim[0, 0, ::stride, ::stride] > 0.3).nonzero(as_tuple=True)
        return cls(stride, rows * stride, columns * stride)


def stride_for(matte: Tensor) -> int:
    """Pixels between lattice points, for about ``POINTS`` at most in an object with this matte."""
    return int(min(6, max(1, math.ceil((float((matte > 0.5).sum()) / POINTS) ** 0.5))))


def guides(image: Tensor, matte: Tensor) -> Tensor:
    """The guides by which patches of a plate (1, 3, H, W) are compared: (1, 5, H, W).

    The object's surroundings are set to grey, so that they do not affect the comparison; the
    object's boundary does.
    """
    grey = cv2.GaussianBlur(image[0].mean(0).numpy(), (0, 0), 1.0)
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
    edges = torch.from_numpy(np.hypot(across, down)).clamp(0, 1)[None, None]
    alone = torch.lerp(torch.full_like(image, 0.5), image, matte)
    return torch.cat([alone * COLOUR**0.5, edges * matte * EDGE**0.5, matte * 0.5], 1)


def patches(picture: Tensor, lattice: Lattice) -> Tensor:
    """Patches of (1, C, H, W) around the points of a lattice: (N, C P²)."""
    side = lattice.patch
    wide = F.pad(picture, (side // 2,) * 4, mode="replicate")[0]
    views = wide.unfold(1, side, 1).unfold(2, side, 1)
    return views[:, lattice.rows, lattice.columns].movedim(1, 0).flatten(1) / side


@dataclass(frozen=True)
class Basis:
    """Mean and principal components of patches."""

    mean: Tensor
    components: Tensor

    @classmethod
    def of(cls, sample: Tensor, count: int) -> "Basis":
        mean = sample.mean(0)
        apart = sample - mean
        # In single precision it may not converge where the paint is flat and most components empty.
        _, vectors = torch.linalg.eigh((apart.T @ apart).double())
        return cls(mean, vectors[:, -count:].float())

    def __call__(self, sample: Tensor) -> Tensor:
        return (sample - self.mean) @ self.components


class Choices:
    """Candidate patches, prepared for searching.

    They are compared in several aspects, such as colours and position. The cost of a pair of
    patches is Σ w · |a − b|² over these.
    """

    def __init__(self, aspects: Sequence[Tensor]) -> None:
        """
        Args:
            aspects: descriptors of the patches in each, (M, D).
        """
        lengths = [-0.5 * own.square().sum(1, keepdim=True) for own in aspects]
        self._right = torch.cat([*aspects, *lengths], 1)

    def nearest(
        self, wanted: Sequence[Tensor], weights: Sequence[Tensor], again: float, seed: int = 0
    ) -> Tensor:
        """The patch with the lowest cost at each point.

        Args:
            wanted: descriptors at the points, (N, D) in each aspect.
            weights: of each aspect at the points, (N,).
            again: extra cost of a patch for each previous use, as a share of the mean cost.
            seed: for the order in which points choose.

        Returns:
            indices of patches, (N,).
        """
        # −½ Σ w |a − b|², without the terms that are constant in a row, is a matrix product.
        scales = [weight[:, None] for weight in weights]
        parts = [scale * part for scale, part in zip(scales, wanted, strict=True)]
        left = torch.cat([*parts, *scales, torch.ones_like(scales[0])], 1)
        base = _lengths(wanted, weights)
        order = torch.randperm(len(left), generator=torch.Generator().manual_seed(seed))
        found, gap = torch.empty(len(left), dtype=torch.long), torch.empty(len(left))
        taken, price = torch.zeros(len(self._right), 1), None
        for portion in order.tensor_split(PORTIONS):
            column = taken if price is None else -0.5 * price * taken
            ready = torch.cat([self._right, column], 1).T.contiguous()
            for part in portion.split(512):
                best, place = (left[part] @ ready).max(1)
                found[part], gap[part] = place, (base[part] - 2 * best).clamp_min(0)
            if price is None:
                price = again * gap[portion].mean()
            taken += torch.bincount(found[portion], minlength=len(taken))[:, None]
        return found


def _lengths(wanted: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    """Σ w |b|², (N,)."""
    lengths = [part.square().sum(1) for part in wanted]
    return torch.stack([w * length for w, length in zip(weights, lengths, strict=True)]).sum(0)


class Source:
    """A key, prepared for searching."""

    def __init__(self, image: Tensor, matte: Tensor, paint: Tensor, stride: int) -> None:
        """
        Args:
            image: the plate of the key frame, (1, 3, H, W) in [0, 1].
            matte: of the object in it, (1, 1, H, W) in [0, 1].
            paint: (1, 3, H, W), defined everywhere.
        """
        rows, columns = (matte[0, 0, ::stride, ::stride] > 0.5).nonzero(as_tuple=True)
        lattice = Lattice(stride, rows * stride, columns * stride)
        seen, painted = patches(guides(image, matte), lattice), patches(paint, lattice)
        self._seen, self._painted = Basis.of(seen, GUIDES), Basis.of(painted, PAINTS)
        self._places = torch.stack([lattice.columns, lattice.rows], 1)
        self._own = self._seen(seen)
        self._choices = Choices([self._own, self._painted(painted), self._places / REACH])

    def search(
        self,
        seen: Tensor,
        painted: Tensor,
        sure: Tensor,
        expected: Tensor,
        trust: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """The most similar patch for each point of a frame.

        Args:
            seen: patches of its guides, (N, 5 P²).
            painted: patches of its existing paint, (N, 3 P²).
            sure: confidence in that paint, (N,) in [0, 1].
            expected: columns and rows expected in the key, (N, 2).
            trust: in these positions, (N,) in [0, 1].

        Returns:
            columns and rows in the key, (N, 2), and the squared distances of the guides, (N,).
        """
        wanted = self._seen(seen)
        found = self._choices.nearest(
            [wanted, self._painted(painted), expected / REACH],
            [torch.ones_like(sure), PAINT * sure, POSITION * trust.clamp_min(0.03)],
            AGAIN,
        )
        return self._places[found], (wanted - self._own[found]).square().sum(1)
