"""Temporal losses on the output, on features, over long gaps, and on local texture.

Flows are backward: from the current frame to the past one, which ``warp`` aligns to the current.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.media.frame import luma
from vidstyle.motion.warp import warp
from vidstyle.train.losses.masked import masked_mean


class Past(NamedTuple):
    """An earlier frame and its correspondence to the current one.

    Attributes:
        output: the stylised frame, (N, 3, H, W).
        plate: the original frame, (N, 3, H, W) in [0, 1].
        flow: (N, 2, H, W) in pixels, from the current frame to this one.
        valid: (N, 1, H, W) in [0, 1]: where the current frame is visible in this one.
    """

    output: Tensor
    plate: Tensor
    flow: Tensor
    valid: Tensor


def output_temporal_loss(output: Tensor, plate: Tensor, past: Past) -> Tensor:
    """Difference of the output from the warped past one, beyond the plate's change of luminance.

        Σ M ((O_t − W(O_t−1)) − (I_t − W(I_t−1))_Y)² / (3 Σ M)

    ReCoNet (Gao 2018), eqs. 6 and 7; Y is the plate's change of luminance, allowed in each channel.

    Args:
        output: O_t, (N, 3, H, W).
        plate: I_t, (N, 3, H, W) in [0, 1].
    """
    change = output - warp(past.output, past.flow, "bilinear")
    light = luma(plate - warp(past.plate, past.flow, "bilinear"))
    return masked_mean((change - light).square(), past.valid)


def feature_temporal_loss(features: Tensor, past: Tensor, flow: Tensor, valid: Tensor) -> Tensor:
    """Difference of features from the warped past ones.

        Σ M (F_t − W(F_t−1))² / (C Σ M)

    ReCoNet (Gao 2018), eq. 5. Flow and mask are resampled to the features' grid, whose cells are
    assumed to divide the picture evenly.

    Args:
        features, past: F_t and F_t−1, (N, C, h, w).
        flow: (N, 2, H, W) in pixels of the picture, frame t to t−1.
        valid: M, (N, 1, H, W) in [0, 1].
    """
    h, w = features.shape[-2:]
    scale = flow.new_tensor([w / flow.shape[-1], h / flow.shape[-2]])[:, None, None]
    coarse = F.adaptive_avg_pool2d(flow, (h, w)) * scale
    mask = F.adaptive_avg_pool2d(valid, (h, w))
    return masked_mean((features - warp(past, coarse, "bilinear")).square(), mask)


def long_term_masks(valid: Sequence[Tensor]) -> list[Tensor]:
    """The masks of successively earlier frames, each excluding what a nearer frame covers.

        c_long(t−j) = max(c(t−j) − Σ c(t−k), 0),   over the nearer frames k < j

    Ruder 2016, the weights of their long-term consistency.

    Args:
        valid: (N, 1, H, W) in [0, 1] each, the nearest frame first.
    """
    masks, answered = [], torch.zeros_like(valid[0])
    for mask in valid:
        masks.append((mask - answered).clamp(min=0))
        answered = answered + mask
    return masks


def long_term_loss(output: Tensor, plate: Tensor, pasts: Sequence[Past]) -> Tensor:
    """The temporal loss over several earlier frames, each pixel with the nearest that shows it.

        Σ_j L(O_t, O_t−j, c_long(t−j))

    Ruder 2016, long-term consistency, with :func:`output_temporal_loss` for L. What is occluded for
    a few frames should look the same afterwards.

    Args:
        output: O_t, (N, 3, H, W).
        plate: I_t, (N, 3, H, W) in [0, 1].
        pasts: at least one, the nearest first.
    """
    masks = long_term_masks([past.valid for past in pasts])
    terms = [
        output_temporal_loss(output, plate, past._replace(valid=mask))
        for past, mask in zip(pasts, masks, strict=True)
    ]
    return torch.stack(terms).sum()


def compound_loss(disturbed: Tensor, output: Tensor, flow: Tensor, valid: Tensor) -> Tensor:
    """Compound regularisation: styling should commute with motion, regardless of noise and light.

        Σ M (T(W(x) + Δ) − W(T(x)))² / (3 Σ M)

    Wang 2020 (Compound Regularization, AAAI; ReReVST, TIP, trains with it). It needs no clips: the
    motion W and the noise Δ are synthetic (:class:`vidstyle.train.pairs.SyntheticMotion`).

    Args:
        disturbed: T(W(x) + Δ), the moved and disturbed picture after styling, (N, 3, H, W).
        output: T(x), (N, 3, H, W).
        flow: of W, (N, 2, H, W) in pixels.
        valid: M, (N, 1, H, W): where W stays inside the frame.
    """
    return masked_mean((disturbed - warp(output, flow, "bilinear")).square(), valid)


#: Rows and columns from a cell to its eight neighbours.
_NEIGHBOURS = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)]


class Projector(nn.Sequential):
    """CCPL's two-layer perceptron on difference vectors: (..., C) → (..., C/4). Trained with the
    network, one for each compared layer."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, channels // 4)
        )


def anchors(size: tuple[int, int], count: int, random: np.random.Generator) -> Tensor:
    """``count`` distinct random inner cells of a grid of ``size`` (h, w), at least 3×3: (K, 2) rows
    and columns, K ≤ count."""
    h, w = size[0] - 2, size[1] - 2
    cells = random.choice(h * w, min(count, h * w), replace=False)
    return torch.from_numpy(np.stack([cells // w + 1, cells % w + 1], axis=1))


def coherence_loss(
    output: Tensor,
    content: Tensor,
    at: Tensor,
    project: Callable[[Tensor], Tensor] | None = None,
    temperature: float = 0.07,
) -> Tensor:
    """Contrastive coherence: the difference of a cell and its neighbour in the output should match
    the same difference in the content, and no other.

        −mean_m log [exp(g_m·c_m / τ) / Σ_n exp(g_m·c_n / τ)]

    over unit vectors g and c, the (projected) differences of anchor and neighbour in the output
    and in the content. CCPL (Wu 2022). Makes clips steadier although it only sees single pictures.

    Args:
        output, content: (N, C, h, w) features of one layer.
        at: (K, 2), the cells to compare, as :func:`anchors` draws them.
        project: such as a :class:`Projector`; None compares the differences themselves.
        temperature: τ.

    Returns:
        A scalar, log(8 K) where the output is unrelated to the content.
    """
    ours, theirs = (
        F.normalize(project(vectors) if project else vectors, dim=-1)
        for vectors in (_differences(output, at), _differences(content, at))
    )
    logits = (ours @ theirs.mT / temperature).flatten(0, 1)
    same = torch.arange(ours.shape[1], device=logits.device).repeat(len(ours))
    return F.cross_entropy(logits, same)


def _differences(features: Tensor, at: Tensor) -> Tensor:
    """Anchor minus each of its neighbours: (N, 8 K, C)."""
    rows, columns = at[:, 0].to(features.device), at[:, 1].to(features.device)
    here = features[..., rows, columns]
    around = [here - features[..., rows + y, columns + x] for y, x in _NEIGHBOURS]
    return torch.cat(around, dim=-1).mT
