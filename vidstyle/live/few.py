"""A few frames held in memory, the objects found in them, and statistics frozen over them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
import torch

from vidstyle.media.frame import Frame
from vidstyle.options import check_inverted
from vidstyle.pipeline.analysis import freeze, sampled
from vidstyle.pipeline.parts import Parts
from vidstyle.runtime.scratch import temporary_folder
from vidstyle.segment.clip import resized
from vidstyle.segment.mattes.derived import WholeFrame
from vidstyle.segment.mattes.store import HeldMattes, Matte, Mattes
from vidstyle.segment.objects import find_mattes
from vidstyle.segment.prompts import parse_object
from vidstyle.style.model import ReadStyle
from vidstyle.style.supersampled import Enlarged


class Few:
    """A few frames kept in memory, as a clip that can be read again and again.

    Attributes:
        size: (H, W).
        count: number of frames.
    """

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames = [replace(frame, index=number) for number, frame in enumerate(frames)]
        self.size = self._frames[0].size
        self.count = len(self._frames)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """See :class:`~vidstyle.segment.clip.Clip`."""
        yield from self._frames[start:stop]

    def scaled(self, height: int) -> "Few":
        """The same frames at a height."""
        return Few([scaled(frame, height) for frame in self._frames])


#: An object in each of a few frames, (H, W) at their size; None for the whole frame.
Found = Sequence[Matte] | None


def find(spec: str | None, few: Few, parts: Parts, *, invert: bool) -> Found:
    """Find an object.

    Args:
        spec: an ``--object`` SPEC; None for the whole frame.
        invert: select everything except the object.

    Raises:
        UsageError, MediaError, WeightsError, ObjectNotFoundError: see ``find_mattes``.
        UsageError: see ``check_inverted``.
    """
    check_inverted(spec, invert)
    if spec is None:
        return None
    with temporary_folder() as folder:
        mattes = find_mattes(
            parse_object(spec), few, [(0, few.count)], parts, folder, lambda _: None
        )
        found = [mattes[number] for number in range(few.count)]
    return [255 - matte for matte in found] if invert else found


def mattes_of(found: Found, few: Few) -> Mattes:
    """The found mattes, at the frames' current size."""
    if found is None:
        return WholeFrame(few.size, few.count)
    return HeldMattes([resized(matte, few.size) for matte in found])


def freeze_over(
    few: Few, mattes: Mattes, style: ReadStyle, parts: Parts, supersample: int | None
) -> Enlarged | None:
    """Freeze an object's statistics over all the frames; None if it is in none of them.

    Args:
        supersample: see ``LookOptions.supersample``.
    """
    seen = sampled(range(few.count), mattes)
    return freeze(few, seen, mattes, style, parts.stylizer, supersample)


def scaled(frame: Frame, height: int) -> Frame:
    """The frame area-averaged to a height, keeping its aspect ratio, with an even width."""
    width = max(2, round(frame.size[1] * height / frame.size[0] / 2) * 2)
    if frame.size == (height, width):
        return frame
    small = cv2.resize(frame.image.numpy(), (width, height), interpolation=cv2.INTER_AREA)
    return replace(frame, image=torch.from_numpy(np.ascontiguousarray(small)))
