"""The temporal step: stabilise each styled frame against the previous one.

How it was chosen: warping error 1 and 10 frames apart, and energy of the Laplacian, each relative
to single frames, on 24 frames of 416×240 in the style of starry_night, scored as in
tools/bench_temporal.py (the first four rows with an earlier style model):

    ====================================  ==============  ==============  ==============
                                          generated       dance-twirl     parkour
    two bands, 0.8 and 0.7                .25  .52  .75   .45  .78  .84   .40  .80  .83
    three bands, 0.85, 0.8 and 0.6        .23  .50  .80   .44  .78  .88   .38  .79  .87
    the same, then sharpened to match     .25  .51  .92   .45  .80  .97   .40  .81  .97
    gradient domain, PULL 1.0             .29  .53  .92   .46  .79  .94   .41  .79  .94
    gradient domain, PULL 1.2             .27  .47  .91   .39  .73  .92   .37  .79  .93
    the same, MEMORY 0.9                  .24  .43  .90   .36  .70  .92   .34  .74  .92
    the same, mean of both directions     .25  .41  .91   .38  .72  .92   .35  .75  .92
    the same, one direction, then back    .17  .34  .85   .30  .68  .87   .27  .70  .88
    ====================================  ==============  ==============  ==============

A longer memory gains little for its cost: at 0.9 it takes 36 frames of pre-roll, more than half a
segment, to hide the seam. A second pass needs as many future frames, and loses detail.

Ten frames apart, most of what is left on real clips is not flicker: the plate itself has changed,
through lighting and motion blur, and the style's contrast with it. Of the 205 (in 1e-4) of single
frames of dance-twirl in the style of la_muse, 132 are the plate's change times the local contrast
that the style gives it; the step leaves 171, which is 39 of the other 73.

Sharpening matches the energy of the frame's noise with contrast that the frame does not have, so it
is not done, despite its good figures.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.media.frame import Box
from vidstyle.motion.estimate import Motion
from vidstyle.motion.screened import screened_poisson
from vidstyle.motion.warp import inside, warp
from vidstyle.runtime.workers import WorkerPool

#: Weight of the past at coarse scales, where it can be trusted. After seventeen frames 0.8¹⁷ = 2 %
#: of a difference in the past remains, which is why a segment's pre-roll is enough.
MEMORY = 0.8

#: How strongly the past's colours are followed against the present's gradients. The weight of
#: the past in a wave of k radians a pixel is PULL / (PULL / MEMORY + k²): half of MEMORY at
#: about five pixels. A higher value removes more flicker, but also detail (see the table above).
PULL = 1.2

#: How far, for a range of 1, the past may lie outside the range of the current neighbourhood.
TOLERANCE = 0.1

#: Iterations of the solver.
STEPS = 8

#: How far around a pixel the step looks at the current frame: the solver and the clipping.
REACH = STEPS + 1

#: Rows of a frame fused at a time on a CPU, so that they stay in its cache.
STRIP = 128


class TemporalFilter:
    """Recurrent fusion of styled frames along the plate's motion, in the gradient domain.

    As in Bonneel et al., "Blind Video Temporal Consistency" (SIGGRAPH Asia 2015, eq. 1): the
    output's gradients follow the current frame, its colours the warped previous output:

        O_t = argmin Σ ‖∇(O − S_t)‖² + p M (O − P)² + q (O − S_t)²      P = clip(W(O_{t−1}))

    S is the styled frame, W the warp along the backward flow, M the confidence in it. So flow that
    is off by a fraction of a pixel, which misplaces edges but not areas, blurs little; and where M
    is 0 the correction blends in from its surroundings, without a visible border. The last term is
    not in the paper, whose method never forgets: it bounds the weight of the past by MEMORY, so
    errors fade and a shot can be rendered in segments.

    The past is clipped to slightly more than the range of the 3×3 neighbourhood of S, as temporal
    anti-aliasing does against ghosting (Karis, SIGGRAPH 2014 courses). It catches what M misses,
    such as dark against dark in the plate where the style has strong contrast.

    Feed the frames of a shot in order; ``reset`` at a cut. Frames may be crops whose box moves.
    """

    def __init__(self, workers: WorkerPool | None = None) -> None:
        """
        Args:
            workers: processes strips of a frame in parallel; None for one after the other.
        """
        self._past: tuple[Tensor, Box] | None = None
        self._workers = workers or WorkerPool()

    def reset(self) -> None:
        """Forget the past: the next frame is returned unchanged."""
        self._past = None

    @torch.inference_mode()
    def step(self, styled: Tensor, motion: Motion, box: Box) -> Tensor:
        """Fuse one frame.

        Args:
            styled: S_t, (3, H, W) in [0, 1].
            motion: of this one frame (N = 1) against the previous one; unused after a reset.
            box: where in the frame ``styled`` and ``motion`` lie.

        Returns:
            O_t, (3, H, W) in [0, 1].
        """
        if self._past is not None:
            if styled.device.type != "cpu":
                styled = _fused(styled[None], motion, *self._past, box)[0]
            else:
                fuse = partial(_fused_strip, styled, motion, *self._past, box)
                strips = self._workers.each(fuse, range(0, box.height, STRIP), urgent=True)
                styled = torch.cat(strips, dim=-2)
        self._past = styled, box
        return styled


@torch.inference_mode()
def _fused_strip(
    now: Tensor, motion: Motion, past: Tensor, past_box: Box, box: Box, start: int
) -> Tensor:
    """A strip of the frame from row ``start`` on, (3, h, W), computed from only the rows it depends
    on."""
    top, bottom = max(0, start - REACH), min(box.height, start + STRIP + REACH)
    part = Motion(motion.flow[..., top:bottom, :], motion.confidence[..., top:bottom, :])
    # The rows of the past that the flow points to, plus the margin that bicubic sampling needs.
    down = part.flow[:, 1]
    first = box.y0 + top + math.floor(down.min()) - 2 - past_box.y0
    last = box.y0 + bottom + math.ceil(down.max()) + 2 - past_box.y0
    first = min(max(first, 0), past_box.height - 1)
    last = min(max(last, first + 1), past_box.height)
    fused = _fused(
        now[None, :, top:bottom],
        part,
        past[:, first:last],
        Box(past_box.x0, past_box.y0 + first, past_box.x1, past_box.y0 + last),
        Box(box.x0, box.y0 + top, box.x1, box.y0 + bottom),
    )
    return fused[0, :, start - top : start - top + STRIP]


def _fused(now: Tensor, motion: Motion, past: Tensor, past_box: Box, box: Box) -> Tensor:
    """(1, 3, H, W), from ``now`` of that shape and the past (3, h, w) at its own box."""
    # The past is sampled in its own crop's coordinates.
    offset = motion.flow.new_tensor([box.x0 - past_box.x0, box.y0 - past_box.y0])
    flow = motion.flow + offset[:, None, None]
    moved = warp(past[None], flow)
    lowest, highest = (_neighbourhood(now, pick) for pick in (torch.minimum, torch.maximum))
    apart = moved.clamp(lowest - TOLERANCE, highest + TOLERANCE) - now
    trust = motion.confidence * inside(flow, past.shape[-2:])
    correction = screened_poisson(apart, PULL * trust, PULL / MEMORY - PULL, STEPS)
    return (now + correction).clamp(0, 1)


def _neighbourhood(image: Tensor, pick: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """``pick`` over each pixel and its eight neighbours, along rows, then columns: on a CPU, a
    twentieth of the time of ``max_pool2d``."""
    wide = F.pad(image, (1, 1, 1, 1), mode="replicate")
    rows = pick(pick(wide[..., :-2], wide[..., 1:-1]), wide[..., 2:])
    return pick(pick(rows[..., :-2, :], rows[..., 1:-1, :]), rows[..., 2:, :])
