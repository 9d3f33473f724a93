"""Means over the part of a picture that counts."""

from torch import Tensor


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Σ M v / (C Σ M), over the whole batch at once: a picture counts by how much of it does.

    Args:
        values: (N, C, H, W).
        mask: M, (N, 1, H, W) in [0, 1].

    Returns:
        A scalar; 0, with zero gradient, where the mask is empty.
    """
    # A whole mask sums to at least one; the bound matters to an empty one alone.
    return (mask * values).mean(1).sum() / mask.sum().clamp(min=1e-6)
