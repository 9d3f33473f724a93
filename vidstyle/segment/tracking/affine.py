"""Flow between pictures, and affine motions fitted to it."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from vidstyle.media.frame import unit_range
from vidstyle.motion.estimator import FlowEstimator, both_ways
from vidstyle.motion.occlusion import disagreement
from vidstyle.segment.clip import Image, Plane

Flow = NDArray[np.float32]


@dataclass(frozen=True)
class Affine:
    """An affine motion: a pixel (x, y) moves by ``matrix``ᵀ · (x, y, 1).

    Attributes:
        matrix: (3, 2).
        spread: median distance, in pixels, between the fitted flow and this motion.
    """

    matrix: NDArray[np.float64]
    spread: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        """How far (dx, dy) the pixel at (x, y) moves."""
        dx, dy = np.array([x, y, 1.0]) @ self.matrix
        return float(dx), float(dy)

    @property
    def growth(self) -> float:
        """Scale factor of lengths."""
        return float(1 + (self.matrix[0, 0] + self.matrix[1, 1]) / 2)

    def distance(self, flow: Flow, x0: int, y0: int) -> NDArray[np.float32]:
        """Distance (H, W), in pixels, of a flow (H, W, 2) from this motion; its first pixel is
        (x0, y0)."""
        x = np.arange(x0, x0 + flow.shape[1], dtype=np.float32)
        y = np.arange(y0, y0 + flow.shape[0], dtype=np.float32)[:, None]
        along_x, along_y, constant = self.matrix.astype(np.float32)
        across, down = (
            flow[..., axis] - (x * along_x[axis] + (y * along_y[axis] + constant[axis]))
            for axis in range(2)
        )
        return np.asarray(np.sqrt(across * across + down * down))


def flows_both_ways(estimator: FlowEstimator, first: Image, second: Image) -> tuple[Flow, Flow]:
    """The flows (H, W, 2), in pixels, from the first picture (H, W, 3) to the second, and back."""
    there, back = both_ways(estimator, _tensor(first), _tensor(second))
    return _array(there), _array(back)


def flow_between(estimator: FlowEstimator, first: Image, second: Image) -> Flow:
    """The flow (H, W, 2), in pixels, from the first picture (H, W, 3) to the second."""
    return _array(estimator(_tensor(first), _tensor(second)))


def _tensor(picture: Image) -> torch.Tensor:
    return unit_range(torch.from_numpy(picture))[None]


def _array(flow: torch.Tensor) -> Flow:
    return flow[0].movedim(0, -1).numpy()


def trust(flow: Flow, returning: Flow) -> Plane:
    """How far a flow (H, W, 2) can be trusted: 1 where it cancels the reverse flow within the
    tolerance of Ruder et al. (2016, eq. 5), falling to 0 at twice that tolerance.

    Args:
        returning: the reverse flow, (H, W, 2), on the grid of ``flow``.
    """
    x, y = (flow[..., axis] for axis in range(2))
    u, v = (returning[..., axis] for axis in range(2))
    gap: Plane = disagreement((x, y), (u, v))
    return np.clip(2 - gap, 0, 1)


def fit_affine(
    flow: Flow, chosen: NDArray[np.bool_], step: int, iterations: int = 5
) -> Affine | None:
    """The dominant motion of the ``chosen`` (H, W) pixels of a flow (H, W, 2), fitted on every
    ``step``th row and column.

    Least squares, reweighted by the Geman-McClure function of each pixel's distance in units of
    the median distance. None if there are fewer than 20 pixels.
    """
    y, x = (step * places for places in np.nonzero(chosen[::step, ::step]))
    if len(x) < 20:
        return None
    vectors = flow[y, x].astype(np.float64)
    positions = np.stack([x, y, np.ones(len(x))], axis=1).astype(np.float64)
    # Centred, for a well-conditioned matrix.
    centre = np.array([x.mean(), y.mean(), 0.0])
    centred = positions - centre
    weights = np.ones(len(x))
    for _ in range(iterations):
        weighted = centred * weights[:, None]
        # The small diagonal keeps it solvable if all pixels are in one row or column.
        normal = weighted.T @ centred + 1e-6 * np.eye(3)
        matrix = np.linalg.solve(normal, weighted.T @ vectors)
        distances = np.sqrt(((vectors - centred @ matrix) ** 2).sum(axis=1))
        spread = max(float(np.median(distances)), 0.3)
        weights = 1 / (1 + (distances / (1.5 * spread)) ** 2) ** 2
    matrix[2] -= centre @ matrix
    return Affine(matrix, spread)
