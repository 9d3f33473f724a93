"""Masked means."""

from torch import Tensor


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Σ M v / (C Σ M), over the whole batch: each picture is weighted by its mask's area.

    Args:
        values: (N, C, H, W).
        mask: M, (N, 1, H, W) in [0, 1].

    Returns:
        A scalar; 0, with zero gradient, where the mask is empty.
    """
    # A full mask sums to at least one; the bound only matters for an empty one.
    return (mask * values).mean(1).sum() / mask.sum().clamp(min=1e-6)
