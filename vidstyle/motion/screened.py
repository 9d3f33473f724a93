"""The screened Poisson equation: a correction that is smooth, yet follows its known values."""

import torch.nn.functional as F
from torch import Tensor

#: Bounds of the eigenvalues that the iteration is tuned to. The system divided by its diagonal has
#: none of 2 or more (Gershgorin) and, with weights of about 1, none that matters below the lower
#: bound.
_LEAST, _LARGEST = 0.2, 2.0


def screened_poisson(target: Tensor, weight: Tensor, prior: float, steps: int) -> Tensor:
    """The U that minimises Σ ‖∇U‖² + Σ w (U − T)² + p Σ U².

    Its Euler equation, (w + p − Δ) U = w T, is solved by Chebyshev's semi-iteration over Jacobi's
    (Golub and Varga, 1961). Unlike conjugate gradients it has no sums over the picture: a pixel
    depends only on those within ``steps`` of it, however the picture was cropped.

    Args:
        target: T, (N, C, H, W).
        weight: w, (N, 1, H, W), at least 0; around 1 it acts at a wavelength of about 6 pixels.
        prior: p, above 0: pulls U to 0; the only term that does where w is 0.
        steps: iterations. After 8 the error is about 2 % of T's range.

    Returns:
        U, (N, C, H, W).
    """
    wanted = weight * target
    diagonal = (weight + prior + 4).reciprocal()
    centre, radius = (_LARGEST + _LEAST) / 2, (_LARGEST - _LEAST) / 2
    solution = wanted * diagonal / centre
    change, rate = solution.clone(), radius / centre
    for _ in range(steps - 1):
        residual = _neighbours(solution).add_(wanted).mul_(diagonal).sub_(solution)
        previous, rate = rate, 1 / (2 * centre / radius - rate)
        change.mul_(rate * previous).add_(residual, alpha=2 * rate / radius)
        solution.add_(change)
    return solution


def _neighbours(image: Tensor) -> Tensor:
    """Sum of the four neighbours; the border is replicated (no gradient across it)."""
    wide = F.pad(image, (1, 1, 1, 1), mode="replicate")
    across = wide[..., 1:-1, 2:] + wide[..., 1:-1, :-2]
    return across.add_(wide[..., 2:, 1:-1]).add_(wide[..., :-2, 1:-1])
