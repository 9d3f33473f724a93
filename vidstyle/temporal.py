"""The temporal step: steady each styled frame with the one before it."""

import torch
from torch import Tensor

from vidstyle.flow.motion import Motion
from vidstyle.flow.warp import warp
from vidstyle.frame import Box

#: Weight of the past where it can be trusted.
BLEND = 0.6


class TemporalFilter:
    """Recurrent fusion of styled frames along the plate's motion.

        O_t = S_t + λ M (W(O_{t−1}) − S_t)

    S is the frame as styled, W the warp along the backward flow, M the confidence in it. The
    frames of a shot are fed in order; ``reset`` at a cut. Frames may be crops whose box moves.
    """

    def __init__(self, weight: float = BLEND) -> None:
        self.weight = weight
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
            past, known = _recrop(*self._past, box)
            moved = warp(torch.cat([past, known])[None], motion.flow, "bicubic")[0]
            # Bicubic rings by a few per cent at the rim of what is known; below that, it is not.
            weight = self.weight * motion.confidence[0] * (moved[3:] > 0.95)
            styled = torch.lerp(styled, moved[:3], weight.expand_as(styled)).clamp(0, 1)
        self._past = styled, box
        return styled


def _recrop(picture: Tensor, old: Box, new: Box) -> tuple[Tensor, Tensor]:
    """A crop (C, H, W) at ``old``, seen through ``new``; and (1, h, w) 1 where it is known."""
    if old == new:
        return picture, torch.ones_like(picture[:1])
    canvas = picture.new_zeros(picture.shape[0], new.height, new.width)
    known = canvas[:1].clone()
    x0, y0 = max(old.x0, new.x0), max(old.y0, new.y0)
    x1, y1 = min(old.x1, new.x1), min(old.y1, new.y1)
    if x0 < x1 and y0 < y1:
        there = (..., slice(y0 - new.y0, y1 - new.y0), slice(x0 - new.x0, x1 - new.x0))
        canvas[there] = picture[..., y0 - old.y0 : y1 - old.y0, x0 - old.x0 : x1 - old.x0]
        known[there] = 1
    return canvas, known
