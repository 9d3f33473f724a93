"""The interface of flow estimators, and estimation at a bounded size."""

from collections.abc import Callable
from typing import Protocol

import torch.nn.functional as F
from torch import Tensor

FlowFunction = Callable[[Tensor, Tensor], Tensor]


class FlowEstimator(Protocol):
    """Estimates where the pixels of one picture went in another.

    Attributes:
        name: what ``--flow`` calls it; written to logs and reports.
    """

    @property
    def name(self) -> str: ...

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        """The flow from ``first`` to ``second``: first(x) ≈ second(x + flow(x)).

        Args:
            first, second: (N, 3, H, W) float32 RGB in [0, 1], any H and W of at least 1.

        Returns:
            (N, 2, H, W) float32 in pixels of the input, on the input's device; channel 0 points
            right (x), channel 1 down (y).

        Raises:
            ValueError: the two are not batches of RGB pictures of one size.
        """
        ...


def both_ways(estimator: FlowEstimator, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
    """Forward flow, on the grid of ``before``, and backward flow, on that of ``after``.

    Two calls rather than one of twice the batch: RAFT's correlations already fill the memory. Nor
    do the two share features: torchvision's networks only take pictures, and features are just a
    fifth of RAFT-small's time.

    Args:
        before, after: (N, 3, H, W), as in :class:`FlowEstimator`.
    """
    return estimator(before, after), estimator(after, before)


def estimate_bounded(
    estimate: FlowFunction,
    first: Tensor,
    second: Tensor,
    *,
    flow_size: int,
    least: int,
    stride: int,
) -> Tensor:
    """Runs ``estimate`` at a bounded size and brings its flow back to the size of the input.

    Cost, and for RAFT memory (the square of the area), must not grow with the size of the plate.

    Args:
        estimate: maps two (N, 3, h, w) pictures to (N, 2, h, w), where h and w are at least
            ``least`` and multiples of ``stride``.
        first, second: as in :class:`FlowEstimator`.
        flow_size: largest short side, in pixels, that ``estimate`` sees before padding.
        least, stride: what ``estimate`` requires of both sides; met by repeating the border.

    Returns:
        (N, 2, H, W) float32 in pixels of the input.
    """
    if first.ndim != 4 or first.shape[1] != 3 or first.shape != second.shape:
        raise ValueError(
            f"flow needs two batches (N, 3, H, W) of one size, not {tuple(first.shape)} and "
            f"{tuple(second.shape)}"
        )
    height, width = first.shape[-2:]
    scale = min(1.0, flow_size / min(height, width))
    h, w = max(1, round(height * scale)), max(1, round(width * scale))
    if (h, w) != (height, width):
        first, second = (_resize(image, h, w, antialias=True) for image in (first, second))
    rim = *_padding(w, least, stride), *_padding(h, least, stride)
    if any(rim):
        first, second = (F.pad(image, rim, mode="replicate") for image in (first, second))
    left, _, top, _ = rim
    flow = estimate(first, second)[..., top : top + h, left : left + w]
    if (h, w) == (height, width):
        return flow
    return _resize(flow, height, width) * flow.new_tensor([width / w, height / h])[:, None, None]


def _resize(image: Tensor, height: int, width: int, *, antialias: bool = False) -> Tensor:
    return F.interpolate(
        image, (height, width), mode="bilinear", align_corners=False, antialias=antialias
    )


def _padding(side: int, least: int, stride: int) -> tuple[int, int]:
    """How many pixels to add before and after ``side``, split evenly."""
    missing = max(least, -(-side // stride) * stride) - side
    return missing // 2, missing - missing // 2
