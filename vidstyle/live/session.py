"""Restyling one frame after the other, knowing only what has been."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from vidstyle.analysis import read_style
from vidstyle.frame import Box, Frame, unit_range
from vidstyle.layer import Layer, Look
from vidstyle.options import RenderOptions, StyledObject
from vidstyle.parts import Parts
from vidstyle.segment.clip import eight_bit, resized
from vidstyle.segment.derived import WholeFrame
from vidstyle.segment.mattes import Matte, Mattes, bounding_box
from vidstyle.segment.objects import find_mattes
from vidstyle.segment.prompts import parse_object
from vidstyle.segment.tracker import Tracker
from vidstyle.style.model import Sample
from vidstyle.timing import Stages


class Memory:
    """A few frames kept in memory, as a clip that can be read again and again.

    Attributes:
        size: (H, W).
        count: number of frames.
    """

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._frames = [replace(frame, index=number) for number, frame in enumerate(frames)]
        self.size = frames[0].size
        self.count = len(frames)

    def frames(self, start: int, stop: int | None) -> Iterator[Frame]:
        """See :class:`~vidstyle.segment.clip.Clip`."""
        yield from self._frames[start:stop]


@dataclass(frozen=True)
class Subject:
    """An object in the first frames.

    Attributes:
        mattes: (H, W) of each of them, at the source's size; None for the whole frame.
        style: path of its style picture.
    """

    mattes: Sequence[Matte] | None
    style: str


def find_subjects(
    objects: Sequence[StyledObject], first: Sequence[Frame], parts: Parts, *, invert: bool
) -> list[Subject]:
    """Find the objects in the first frames.

    Raises:
        UsageError, MediaError, WeightsError, ObjectNotFoundError: see ``find_mattes``.
    """
    return [
        Subject(_found(wanted.object, first, parts, invert), wanted.style) for wanted in objects
    ]


def _found(
    spec: str | None, first: Sequence[Frame], parts: Parts, invert: bool
) -> list[Matte] | None:
    if spec is None:
        return None
    clip = Memory(first)
    with tempfile.TemporaryDirectory(prefix="vidstyle-live-") as folder:
        mattes = find_mattes(
            parse_object(spec), clip, [(0, clip.count)], parts, Path(folder), lambda _: None
        )
        found = [mattes[number] for number in range(clip.count)]
    return [255 - matte for matte in found] if invert else found


class Followed(Mattes):
    """The matte of an object that is followed as frames come; only the newest is kept."""

    def __init__(self, frame: Frame, matte: Matte) -> None:
        self._tracker = Tracker()
        self._tracker.reset(eight_bit(frame), matte)
        self._matte = matte

    def follow(self, frame: Frame) -> None:
        """Find the object in the frame after the last one."""
        self._matte = self._tracker.step(eight_bit(frame))

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Matte:
        return self._matte

    def box(self, index: int) -> Box | None:  # noqa: ARG002
        return bounding_box(self._matte)


class Session:
    """Everything that a live picture of one size needs: statistics frozen over the first frames,
    and objects followed from the last of them."""

    def __init__(
        self,
        subjects: Sequence[Subject],
        first: Sequence[Frame],
        height: int,
        parts: Parts,
        options: RenderOptions,
    ) -> None:
        """
        Args:
            subjects: see :func:`find_subjects`.
            first: the frames in which they were found; at least one.
            height: of the pictures to come; theirs are as wide as the source's shape asks.
        """
        self._height = height
        small = [scaled(frame, height) for frame in first]
        self.size = small[0].size
        self._next = 0
        self._followed: list[Followed] = []
        self._layers: list[Layer] = []
        look = Look(options.strength, options.feather, parts.steady, options.preserve)
        for subject in subjects:
            mattes: Mattes = WholeFrame(self.size, 1)
            samples = [_sample(frame, None) for frame in small]
            if subject.mattes is not None:
                here = [resized(matte, self.size) for matte in subject.mattes]
                seen = [pair for pair in zip(small, here, strict=True) if pair[1].any()]
                samples = [_sample(*pair) for pair in seen]
                mattes = Followed(small[-1], here[-1])
                self._followed.append(mattes)
            style = read_style(subject.style, self.size, parts.stylizer)
            transfer = parts.stylizer.transfer(partial(iter, samples), style)
            self._layers.append(Layer(mattes, transfer, parts.stylizer, look, Stages()))

    def step(self, frame: Frame) -> Frame:
        """The restyled frame, at this session's size. Frames come in order; some may be missing
        between them."""
        frame = replace(scaled(frame, self._height), index=self._next)
        self._next += 1
        for followed in self._followed:
            followed.follow(frame)
        canvas = frame.image[None]
        for layer in self._layers:
            canvas = layer.render([frame], canvas)
        return replace(frame, image=canvas[0])


def _sample(frame: Frame, matte: Matte | None) -> Sample:
    picture = unit_range(frame.image)[None]
    if matte is None:
        return picture, torch.ones_like(picture[:, :1])
    return picture, torch.from_numpy(matte)[None, None].float() / 255


def scaled(frame: Frame, height: int) -> Frame:
    """The frame at a height, with its shape kept and an even width, by area averages."""
    width = max(2, round(frame.size[1] * height / frame.size[0] / 2) * 2)
    if frame.size == (height, width):
        return frame
    small = cv2.resize(frame.image.numpy(), (width, height), interpolation=cv2.INTER_AREA)
    return replace(frame, image=torch.from_numpy(np.ascontiguousarray(small)))
