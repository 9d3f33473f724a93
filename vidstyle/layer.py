"""One styled object's way through a shot: from plates to the composite."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from operator import or_

import torch
from torch import Tensor

from vidstyle.composite import feathered
from vidstyle.device import copied_to
from vidstyle.flow.estimator import FlowEstimator
from vidstyle.flow.motion import Motion, estimate_motion
from vidstyle.frame import Box, Frame
from vidstyle.memory import Fitting
from vidstyle.preserve import preserved
from vidstyle.segment.mattes import Mattes
from vidstyle.style.model import Frozen, StyleModel
from vidstyle.temporal import TemporalFilter
from vidstyle.timing import Stages
from vidstyle.view import CodeValues, View

#: Pixels of the box, in all frames together, that go through a layer's steps at once. A step holds
#: some 200 bytes for each: a batch of large frames goes in parts, to the same result.
PART_PIXELS = {"cpu": 2**23, "cuda": 2**25}


@dataclass(frozen=True)
class Look:
    """What a layer does to its object.

    Attributes:
        strength: 0 to 1.
        feather: pixels.
        steady: estimator of the plate's motion for the temporal step; None for no such step.
        preserve: what of the plate is kept, one of :data:`vidstyle.choices.PRESERVED`.
        view: how the plates are seen.
    """

    strength: float
    feather: float
    steady: FlowEstimator | None
    preserve: str = "none"
    view: View = field(default_factory=CodeValues)


class Layer:
    """Restyles one object in the frames of a shot, a batch at a time, in order.

    Sees only the box around the object's mattes, so that cost follows the object, not the frame.
    """

    def __init__(
        self,
        mattes: Mattes,
        transfer: Frozen,
        stylizer: StyleModel,
        look: Look,
        stages: Stages,
    ) -> None:
        self._mattes, self._transfer, self._stylizer = mattes, transfer, stylizer
        self._look, self._stages = look, stages
        self._filter, self._fitting = TemporalFilter(), Fitting()
        self._last: Frame | None = None

    def render(self, frames: Sequence[Frame], canvas: Tensor) -> Tensor:
        """Lay the restyled object over ``canvas``.

        Args:
            frames: consecutive plates, following those of the call before.
            canvas: (N, H, W, 3) code values, the plates with lower layers over them; or
                (N, H, W, 4), the lower layers alone, premultiplied.

        Returns:
            The new canvas; ``canvas`` itself where the object is in none of the frames.
        """
        box = self._box(frames)
        alone = canvas.shape[-1] == 4
        if box is None or (self._look.strength == 0 and not alone):
            self._filter.reset()
            self._last = None
            return canvas
        result = canvas.clone()
        most = PART_PIXELS[self._stylizer.device.type]
        count = max(1, most // (box.width * box.height))
        for start in range(0, len(frames), count):
            part = slice(start, start + count)
            self._lay_over(result[part, box.rows, box.columns], frames[part], box)
        return result

    def _lay_over(self, canvas: Tensor, frames: Sequence[Frame], box: Box) -> None:
        """Lay the restyled object over ``canvas``, the box of those frames, in place."""
        plates = torch.stack([frame.image[box.rows, box.columns] for frame in frames])
        styled = self._styled(frames, plates, box)
        with self._stages("composite"):
            matte = feathered(self._matte(frames, box), self._look.feather)
            canvas.copy_(self._look.view.composite(canvas, plates, styled.cpu(), matte))

    def _styled(self, frames: Sequence[Frame], plates: Tensor, box: Box) -> Tensor:
        """(N, 3, h, w) in [0, 1] on the device: the plates restyled and steadied."""
        images = self._seen(plates)
        if self._look.strength == 0:
            return images
        with self._stages("style"):
            styled = torch.cat(self._fitting(partial(self._restyled, images), len(images)))
            styled = preserved(self._look.preserve, images, styled)
        if self._look.steady is None:
            return styled
        return self._steadied(self._look.steady, frames, images, styled, box)

    def _restyled(self, images: Tensor, part: slice) -> Tensor:
        return self._stylizer(images[part], self._transfer, self._look.strength)

    def _box(self, frames: Sequence[Frame]) -> Box | None:
        """Around the object in all of ``frames``, wide enough for network and feather."""
        boxes = [box for frame in frames if (box := self._mattes.box(frame.index))]
        if not boxes:
            return None
        model = self._stylizer
        margin = model.margin + math.ceil(self._look.feather)
        return reduce(or_, boxes).padded(margin, model.grid, frames[0].size)

    def _seen(self, plates: Tensor) -> Tensor:
        """(N, 3, h, w) in [0, 1] on the device."""
        return self._look.view.see(copied_to(self._stylizer.device, plates))

    def _matte(self, frames: Sequence[Frame], box: Box) -> Tensor:
        """(N, 1, h, w) in [0, 1]."""
        mattes = [
            torch.from_numpy(self._mattes[frame.index][box.rows, box.columns]) for frame in frames
        ]
        return torch.stack(mattes)[:, None].float() / 255

    def _steadied(
        self,
        estimator: FlowEstimator,
        frames: Sequence[Frame],
        images: Tensor,
        styled: Tensor,
        box: Box,
    ) -> Tensor:
        """The temporal step over a batch: motion of all pairs at once, then fusion in order."""
        last = self._last or frames[0]
        before = self._seen(last.image[None, box.rows, box.columns])
        earlier = torch.cat([before, images[:-1]])
        with self._stages("flow"):
            motion = Motion.joined(
                self._fitting(
                    lambda part: estimate_motion(estimator, earlier[part], images[part]),
                    len(images),
                )
            )
        self._last = frames[-1]
        with self._stages("temporal"):
            return torch.stack(
                [self._filter.step(styled[i], motion[i], box) for i in range(len(frames))]
            )
