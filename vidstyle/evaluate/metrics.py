"""Flicker and blur, as pure functions of pictures and a flow.

Score with a flow that the render did not use, estimated on the plates: a filter always agrees
with its own flow. Score the plates too: noise, light and estimation errors give them a warping
error of their own, so results should not be judged against zero.
"""

from torch import Tensor

from vidstyle.motion.warp import warp


def warped_difference(now: Tensor, before: Tensor, flow: Tensor) -> Tensor:
    """‖O_t − W(O_t')‖² at each pixel: (N, 1, H, W), the mean over the three channels.

    W is bilinear, as in Lai et al. (ECCV 2018): sampling between pixels softens, so that a
    sharper picture has a slightly higher floor. Arguments as in :func:`warping_error`.
    """
    return (now - warp(before, flow, "bilinear")).square().mean(dim=1, keepdim=True)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Σ M v / ΣM of each picture: (N, 1, H, W) and a mask that broadcasts to it, to (N,).

    NaN where the mask is empty.
    """
    mask = mask.expand_as(values)
    return (mask * values).sum(dim=(1, 2, 3)) / mask.sum(dim=(1, 2, 3))


def warping_error(now: Tensor, before: Tensor, flow: Tensor, mask: Tensor) -> Tensor:
    """E_warp of N pairs of frames (Lai et al., ECCV 2018, eq. 10).

        Σ M‖O_t − W(O_t')‖² / ΣM

    Args:
        now, before: O_t and O_t', (N, 3, H, W) RGB in [0, 1]; t' is t − 1, or earlier.
        flow: (N, 2, H, W) in pixels, from frame t to t'.
        mask: M, (N, 1, H, W) in [0, 1]: where frame t is visible in frame t'.

    Returns:
        (N,), squared, on a range of 1; NaN for a pair whose mask is empty. A clip's error is their
        mean (``nanmean``).
    """
    return masked_mean(warped_difference(now, before, flow), mask)


def temporal_error(now: Tensor, before: Tensor, flow: Tensor, mask: Tensor) -> Tensor:
    """ReCoNet's temporal error of N pairs (Gao et al., ACCV 2018, eq. 10): √E_warp.

    Arguments as in :func:`warping_error`. A clip's error is the mean of the pairs' roots, not the
    root of their mean.

    Returns:
        (N,) on a range of 1; NaN for a pair whose mask is empty.
    """
    return warping_error(now, before, flow, mask).sqrt()


def detail_ratio(result: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
    """Fine detail of ``result`` relative to ``reference``: below 1 where it is blurred.

    The ratio of Laplacian energies (five-point stencil, valid pixels only). If ``reference``
    flickers, its noise counts as detail, and temporal smoothing lowers the ratio.

    Args:
        result, reference: (N, 3, H, W), H and W at least 3.
        mask: (N, 1, H, W) in [0, 1]: where detail counts; None for everywhere.

    Returns:
        (N,); NaN where ``reference`` is flat or the mask is empty.
    """
    return detail_of(laplacian_energy(result), laplacian_energy(reference), mask)


def detail_of(result: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
    """Like :func:`detail_ratio`, from the results of :func:`laplacian_energy`."""
    inside = result.new_ones(1, 1, 1, 1) if mask is None else mask[..., 1:-1, 1:-1]
    return masked_mean(result, inside) / masked_mean(reference, inside)


def laplacian_energy(images: Tensor) -> Tensor:
    """The squared five-point Laplacian at interior pixels, averaged over channels: (N, C, H, W) to
    (N, 1, H − 2, W − 2)."""
    above, below = images[..., :-2, 1:-1], images[..., 2:, 1:-1]
    left, right = images[..., 1:-1, :-2], images[..., 1:-1, 2:]
    laplacian = above + below + left + right - 4 * images[..., 1:-1, 1:-1]
    return laplacian.square().mean(dim=1, keepdim=True)
