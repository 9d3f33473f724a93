"""One styled object in a shot: from plates to the composite."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from operator import or_

import torch
from torch import Tensor

from vidstyle.carry.carried import Carried
from vidstyle.media.composite import feathered
from vidstyle.media.foreground import foreground
from vidstyle.media.frame import Box, Frame, unit_range
from vidstyle.media.view import CodeValues, View
from vidstyle.motion.estimate import Motion, estimate_motion
from vidstyle.motion.estimator import FlowEstimator
from vidstyle.motion.temporal import TemporalFilter
from vidstyle.options import LookOptions
from vidstyle.pipeline.fading import Fades, lifted, lowered
from vidstyle.runtime.device import copied_to, holds
from vidstyle.runtime.memory import Fitting
from vidstyle.runtime.timing import Stages
from vidstyle.runtime.workers import WorkerPool
from vidstyle.segment.mattes.store import Mattes
from vidstyle.style.detail import with_detail
from vidstyle.style.model import Frozen, StyleModel
from vidstyle.style.preserve import preserved
from vidstyle.style.supersampled import margin_around


@dataclass(frozen=True)
class LayerContext:
    """What all layers of a clip share.

    Attributes:
        stylizer: the style model.
        workers: processes the pictures of a batch in parallel.
        steady: estimator of the plate's motion for the temporal step; None to skip it.
        view: how the plates are viewed.
        fades: the clip's faded frames.
        stages: records the timings.
    """

    stylizer: StyleModel
    workers: WorkerPool = field(default_factory=WorkerPool)
    steady: FlowEstimator | None = None
    view: View = field(default_factory=CodeValues)
    fades: Fades = field(default_factory=dict)
    stages: Stages = field(default_factory=Stages)


@dataclass(frozen=True)
class Draft:
    """The part of a batch's result that does not depend on previous results.

    Attributes:
        box: the part of the frames that the layer sees.
        plates: code values in the box, (N, h, w, 3).
        styled: (N, 3, h, w) in [0, 1] on the device.
        motion: of the plates; None without a temporal step.
    """

    box: Box
    plates: Tensor
    styled: Tensor
    motion: Motion | None


class Layer:
    """Restyles one object in the frames of a shot, a batch at a time, in order.

    Sees only the box around the object's mattes, so cost scales with the object, not the frame.

    Most of the work does not depend on previous results: :meth:`draft` does it, for batches in
    order, and may run several batches ahead of :meth:`finish`, in another thread.
    """

    def __init__(
        self,
        mattes: Mattes,
        transfer: Frozen | None,
        look: LookOptions,
        context: LayerContext,
        carried: Carried | None = None,
    ) -> None:
        """
        Args:
            transfer: the style, frozen for the object in its shot by ``context.stylizer``; None
                without one.
            carried: the object as carried from painted keys; None without keys.
        """
        self._carried = carried
        self._mattes, self._transfer, self._look, self._context = mattes, transfer, look, context
        self._filter, self._fitting = TemporalFilter(context.workers), Fitting()
        self._last: Frame | None = None

    def render(self, frames: Sequence[Frame], canvas: Tensor) -> Tensor:
        """Draft and finish a batch."""
        return self.finish(frames, self.draft(frames), canvas)

    def draft(self, frames: Sequence[Frame]) -> Draft | None:
        """Restyle the frames and estimate the plate's motion.

        Args:
            frames: consecutive plates, following those of the previous call.

        Returns:
            Input for :meth:`finish`; None if the object is in none of the frames.
        """
        return self.drafting(frames)()

    def drafting(self, frames: Sequence[Frame]) -> Callable[[], Draft | None]:
        """:meth:`draft`, to be called later in any thread; several may be in progress at once."""
        box, last = self._box(frames), self._last
        self._last = frames[-1] if box else None
        return partial(self._drafted, frames, box, last or frames[0])

    def _drafted(self, frames: Sequence[Frame], box: Box | None, last: Frame) -> Draft | None:
        """
        Args:
            last: the frame before ``frames``.
        """
        if box is None:
            return None
        plates = torch.stack([frame.image[box.rows, box.columns] for frame in frames])
        images = self._seen(plates)
        if self._look.strength == 0:
            return Draft(box, plates, images, None)
        images = lifted(images, frames, self._context.fades)
        with self._context.stages("style"):
            styled = images
            if self._transfer is not None:
                styled = torch.cat(self._fitting(partial(self._restyled, images), len(images)))
            if self._carried is not None:
                numbers = [frame.index for frame in frames]
                styled = self._carried.over(styled, images, numbers, box, self._look.strength)
            styled = with_detail(self._look.detail, images, styled)
            styled = preserved(self._look.preserve, images, styled)
        if self._context.steady is None:
            return Draft(box, plates, styled, None)
        return Draft(box, plates, styled, self._motion(self._context.steady, last, images, box))

    def finish(self, frames: Sequence[Frame], draft: Draft | None, canvas: Tensor) -> Tensor:
        """Steady the restyled object and composite it over ``canvas``.

        Args:
            frames: the frames that were drafted.
            canvas: (N, H, W, 3) code values, the plates with lower layers over them; or
                (N, H, W, 4), only the lower layers, premultiplied.

        Returns:
            The new canvas; ``canvas`` itself if the object is in none of the frames.
        """
        alone = canvas.shape[-1] == 4
        if draft is None or (self._look.strength == 0 and not alone):
            self._filter.reset()
            return canvas
        box, plates, styled = draft.box, draft.plates, draft.styled
        if draft.motion is not None:
            with self._context.stages("temporal"):
                steadied = []
                for place, frame in enumerate(frames):
                    if self._carried is not None and self._carried.is_key(frame.index):
                        self._filter.reset()  # a key comes out as it was painted
                    motion = draft.motion[place]
                    steadied.append(self._filter.step(styled[place], motion, box))
                styled = torch.stack(steadied)
        if self._look.strength > 0:
            styled = self._lowered(frames, plates, styled)
        with self._context.stages("composite"):
            matte = feathered(self._matte(frames, box), self._look.feather)
            # What will be put behind a plate shows through its paint as well. Colours that are not
            # multiplied by alpha may change there; an element's alpha may not.
            for over, frame in zip(matte, frames, strict=True):
                opacity = frame.opacity if alone else frame.coverage
                if opacity is not None:
                    over *= opacity[box.rows, box.columns]
            if alone and self._look.decontaminate:
                plates = foreground(unit_range(plates), matte).movedim(1, -1)
                styled = foreground(styled, matte)
            result = canvas.clone()
            result[:, box.rows, box.columns] = self._context.view.composite(
                canvas[:, box.rows, box.columns], plates, styled.cpu(), matte
            )
        return result

    def _restyled(self, images: Tensor, part: slice) -> Tensor:
        return self._context.stylizer(images[part], self._transfer, self._look.strength)

    def _lowered(self, frames: Sequence[Frame], plates: Tensor, styled: Tensor) -> Tensor:
        """Apply the fade of faded frames to their paint."""
        faded = {
            place: fade
            for place, frame in enumerate(frames)
            if (fade := self._context.fades.get(frame.index)) is not None
        }
        if not faded:
            return styled
        pictures = list(styled)
        for place, fade in faded.items():
            seen = self._seen(plates[place : place + 1])[0]
            pictures[place] = lowered(styled[place], seen, fade)
        return torch.stack(pictures)

    def _box(self, frames: Sequence[Frame]) -> Box | None:
        """The box around the object in all ``frames``, padded for the network and the feather."""
        boxes = [box for frame in frames if (box := self._mattes.box(frame.index))]
        if not boxes:
            return None
        model = self._context.stylizer
        margin = margin_around(model, self._transfer) + math.ceil(self._look.feather)
        return reduce(or_, boxes).padded(margin, model.grid, frames[0].size)

    def _seen(self, plates: Tensor) -> Tensor:
        """(N, 3, h, w) in [0, 1] on the device."""
        device, view = self._context.stylizer.device, self._context.view
        if not holds(device, plates.dtype):
            return view.see(plates).to(device)
        return view.see(copied_to(device, plates))

    def _matte(self, frames: Sequence[Frame], box: Box) -> Tensor:
        """(N, 1, h, w) in [0, 1]."""
        mattes = [
            torch.from_numpy(self._mattes[frame.index][box.rows, box.columns]) for frame in frames
        ]
        return torch.stack(mattes)[:, None].float() / 255

    def _motion(self, estimator: FlowEstimator, last: Frame, images: Tensor, box: Box) -> Motion:
        """Motion of each plate, (N, 3, h, w), relative to the previous one."""
        before = self._seen(last.image[None, box.rows, box.columns])
        before = lifted(before, [last], self._context.fades)
        earlier, workers = torch.cat([before, images[:-1]]), self._context.workers

        def estimate(part: slice) -> Motion:
            return estimate_motion(estimator, earlier[part], images[part])

        def estimate_all(part: slice) -> Motion:
            return Motion.joined(workers.each(estimate, workers.shares(part)))

        with self._context.stages("flow"):
            return Motion.joined(self._fitting(estimate_all, len(images)))
