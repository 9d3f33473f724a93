"""The temporal step: steady each styled frame with the one before it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.flow.motion import Motion
from vidstyle.flow.warp import inside, warp
from vidstyle.frame import Box

#: Weight of the past, where it can be trusted, in what is coarse and in what is fine. Flow that is
#: off by a fraction of a pixel blurs fine detail and leaves the coarse as it is, and flicker shows
#: in the coarse first: as in Bonneel et al. (SIGGRAPH Asia 2015), low frequencies follow the past
#: more than high ones do. Sixteen frames forget all but 0.8¹⁶ = 3 % of how a past differed.
COARSE, FINE = 0.8, 0.7

#: Side of the square, in pixels, whose mean is called coarse.
WINDOW = 5

#: How far, of a range of 1, the past may lie outside the range of the present's neighbourhood.
TOLERANCE = 0.04


class TemporalFilter:
    """Recurrent fusion of styled frames along the plate's motion.

        D = clip(W(O_{t−1})) − S_t          O_t = S_t + M (λ_fine D + (λ_coarse − λ_fine) mean(D))

    S is the frame as styled, W the warp along the backward flow, M the confidence in it. The
    past is clipped to what the 3×3 neighbourhood of S spans, and a little more: that is what
    temporal anti-aliasing does against ghosts (Karis, SIGGRAPH 2014 courses), and it catches what
    M lets pass, such as dark against dark in the plate where the style has strong contrast.

    The frames of a shot are fed in order; ``reset`` at a cut. Frames may be crops whose box moves.
    """

    def __init__(self) -> None:
        self._past: tuple[Tensor, Box] | None = None

    def reset(self) -> None:
        """Forget the past: the next frame comes out as it goes in."""
        self._past = None

    @torch.inference_mode()
    def step(self, styled: Tensor, motion: Motion, box: Box) -> Tensor:
        """Fuse one frame.

        Args:
            styled: S_t, (3, H, W) in [0, 1].
            motion: of this one frame (N = 1) against the one before; unused after a reset.
            box: where in the frame ``styled`` and ``motion`` lie.

        Returns:
            O_t, (3, H, W) in [0, 1].
        """
        if self._past is not None:
            styled = _fused(styled[None], motion, *self._past, box)[0]
        self._past = styled, box
        return styled


def _fused(now: Tensor, motion: Motion, past: Tensor, past_box: Box, box: Box) -> Tensor:
    """(1, 3, H, W), from ``now`` of that shape and the past (3, h, w) at its own box."""
    # The past is sampled in its own crop, wherever that lay.
    offset = motion.flow.new_tensor([box.x0 - past_box.x0, box.y0 - past_box.y0])
    flow = motion.flow + offset[:, None, None]
    moved = warp(past[None], flow)
    lowest, highest = -F.max_pool2d(-now, 3, 1, 1), F.max_pool2d(now, 3, 1, 1)
    apart = moved.clamp(lowest - TOLERANCE, highest + TOLERANCE) - now
    coarse = F.avg_pool2d(apart, WINDOW, 1, WINDOW // 2, count_include_pad=False)
    trust = motion.confidence * inside(flow, past.shape[-2:])
    return (now + trust * (FINE * apart + (COARSE - FINE) * coarse)).clamp(0, 1)
