"""Closed-form style transfer: match the mean and covariance of features to a style's.

The map is the optimal transport between two Gaussians (Monge–Kantorovich; for colour Pitié 2007,
for features Lu 2019): of all maps that match the covariance, it changes the content least.

    T = Σc^-½ (Σc^½ Σs Σc^½)^½ Σc^-½        y = T (x − μc) + μs
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

#: Variance that a style has at least: that of a plain colour would make the map infinite.
_PLAIN = 1e-8


@dataclass(frozen=True)
class Statistics:
    """Weighted sums of features, additive over pixels, frames and machines.

    In training each picture of a batch has its own: then all have a leading N.

    Attributes:
        weight: sum of the weights, (...) float64.
        first: weighted sum of the features, (..., C) float64.
        second: weighted sum of their outer products, (..., C, C) float64.
    """

    weight: Tensor
    first: Tensor
    second: Tensor

    @classmethod
    def gather(cls, features: Tensor, mask: Tensor | None = None) -> "Statistics":
        """Statistics of (N, C, h, w) features, weighted by ``mask`` (N, 1, h, w) in [0, 1]."""
        folded = features.transpose(0, 1).flatten(1)[None]
        each = cls.of_each(folded, None if mask is None else mask.transpose(0, 1).flatten(1)[None])
        return cls(each.weight[0], each.first[0], each.second[0])

    @classmethod
    def of_each(cls, features: Tensor, mask: Tensor | None = None) -> "Statistics":
        """Like :meth:`gather`, but for each picture separately; features may be (N, C, places)."""
        flat = _double(features.flatten(2))
        weights = torch.ones_like(flat[:, :1]) if mask is None else _double(mask.flatten(2))
        weighted = flat * weights
        return cls(weights.sum((1, 2)), weighted.sum(2), weighted @ flat.mT)

    def __add__(self, other: "Statistics") -> "Statistics":
        return Statistics(
            self.weight + other.weight, self.first + other.first, self.second + other.second
        )

    def weighing(self, weight: float) -> "Statistics":
        """The same mean and covariance with a different weight in sums."""
        share = weight / self.weight
        return Statistics(
            self.weight * share, self.first * share[..., None], self.second * share[..., None, None]
        )

    @property
    def mean(self) -> Tensor:
        """(..., C)"""
        mean: Tensor = self.first / self.weight[..., None]
        return mean

    @property
    def covariance(self) -> Tensor:
        """(..., C, C), symmetric."""
        mean = self.mean
        square = mean[..., :, None] * mean[..., None, :]
        covariance: Tensor = self.second / self.weight[..., None, None] - square
        return covariance


def _double(tensor: Tensor) -> Tensor:
    """In double precision; on the CPU for Apple's devices, which lack it."""
    return (tensor.cpu() if tensor.device.type == "mps" else tensor).double()


class _SquareRoot(torch.autograd.Function):
    """Principal square root of symmetric positive definite matrices, or its inverse.

    In the eigenbasis the gradient is multiplied by (f(λi) − f(λj)) / (λi − λj); written in the
    roots that is 1/(ri + rj), or −1/(ri rj (ri + rj)) for the inverse, and stays finite where
    eigenvalues coincide; autograd through ``eigh`` does not.
    """

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, inverted: bool) -> Tensor:
        values, vectors = torch.linalg.eigh(matrix)
        roots = values.clamp_min(torch.finfo(values.dtype).tiny).sqrt()
        ctx.inverted = inverted
        ctx.save_for_backward(roots, vectors)
        diagonal = 1 / roots if inverted else roots
        root: Tensor = (vectors * diagonal.unsqueeze(-2)) @ vectors.mT
        return root

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        roots, vectors = ctx.saved_tensors
        rows, columns = roots.unsqueeze(-1), roots.unsqueeze(-2)
        slope = 1 / (rows + columns)
        if ctx.inverted:
            slope = -slope / (rows * columns)
        return vectors @ (vectors.mT @ gradients[0] @ vectors * slope) @ vectors.mT, None


def square_root(matrix: Tensor, *, inverted: bool = False) -> Tensor:
    """Principal square root of (..., C, C) symmetric positive definite matrices, or its inverse."""
    root: Tensor = _SquareRoot.apply(matrix, inverted)
    return root


def optimal_map(content: Tensor, style: Tensor, ridge: float) -> Tensor:
    """Optimal-transport map between covariances, (..., C, C) each.

    Args:
        content: covariance of the content features.
        style: target covariance.
        ridge: fraction of the style's mean variance that is added to both diagonals. It bounds
            the gain in directions that the content hardly uses, where noise and compression
            artifacts would be amplified.
    """
    variance = style.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None].clamp_min(_PLAIN)
    eye = ridge * variance * torch.eye(style.shape[-1], dtype=style.dtype, device=style.device)
    root = square_root(content + eye)
    inverse = square_root(content + eye, inverted=True)
    return inverse @ square_root(root @ (style + eye) @ root) @ inverse


def shrunk(statistics: Statistics) -> Tensor:
    """The covariance (..., C, C), shrunk toward its diagonal when samples are few.

    A small object has fewer cells than the features have channels, and a raw covariance would
    then be singular (Schäfer & Strimmer 2005). Frequency bands of natural pictures are nearly
    uncorrelated, so the diagonal is the right prior.
    """
    covariance = statistics.covariance
    weight = statistics.weight[..., None, None]
    trust = weight / (weight + covariance.shape[-1])
    diagonal = torch.diag_embed(covariance.diagonal(dim1=-2, dim2=-1))
    return trust * covariance + (1 - trust) * diagonal


@dataclass(frozen=True)
class AffineMap:
    """``matrix @ (x − source) + target`` at every cell; with a leading N, one map per picture.

    Attributes:
        matrix: (..., C, C) float32.
        source, target: means, (..., C) float32.
    """

    matrix: Tensor
    source: Tensor
    target: Tensor

    def to(self, device: torch.device) -> "AffineMap":
        """The same map on a device."""
        return AffineMap(*(part.to(device) for part in (self.matrix, self.source, self.target)))

    @property
    def offset(self) -> Tensor:
        """The image of zero, (..., C, 1)."""
        return self.target[..., None] - self.matrix @ self.source[..., None]

    def __call__(self, features: Tensor) -> Tensor:
        """(N, C, h, w) → (N, C, h, w)."""
        moved: Tensor = self.matrix @ features.flatten(2) + self.offset
        result: Tensor = moved.unflatten(2, features.shape[2:])
        return result


def transport(content: Statistics, style: Statistics, ridge: float) -> AffineMap:
    """The map from the content's statistics to the style's."""
    matrix = optimal_map(shrunk(content), style.covariance, ridge)
    return AffineMap(matrix.float(), content.mean.float(), style.mean.float())
