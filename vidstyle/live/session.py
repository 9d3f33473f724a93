"""Restyling frame by frame, using only past frames."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from vidstyle.live.few import Few, Found, find, freeze_over, mattes_of, scaled
from vidstyle.media.frame import Box, Frame
from vidstyle.options import LookOptions, StyledObject
from vidstyle.pipeline.analysis import read_style
from vidstyle.pipeline.layer import Draft, Layer
from vidstyle.pipeline.parts import Parts
from vidstyle.pipeline.preparation import layer_context
from vidstyle.segment.clip import eight_bit
from vidstyle.segment.mattes.store import Matte, Mattes, bounding_box
from vidstyle.segment.tracking.tracker import Tracker

#: Number of mattes kept, for frames begun but not finished.
KEPT = 16


@dataclass(frozen=True)
class Subject:
    """An object in the first frames.

    Attributes:
        found: its matte in each of them.
        style: path of its style picture.
    """

    found: Found
    style: str


def find_subjects(
    objects: Sequence[StyledObject], first: Few, parts: Parts, *, invert: bool
) -> list[Subject]:
    """Find the objects in the first frames.

    Raises:
        UsageError, MediaError, WeightsError, ObjectNotFoundError: see ``find_mattes``.
    """
    return [
        Subject(find(wanted.object, first, parts, invert=invert), wanted.style)
        for wanted in objects
        if wanted.style is not None  # painted keys need the shot they belong to
    ]


class Followed(Mattes):
    """The mattes of an object tracked as frames arrive; only the newest are kept."""

    def __init__(self, frame: Frame, matte: Matte) -> None:
        self._tracker = Tracker()
        self._tracker.reset(eight_bit(frame), matte)
        self._mattes: dict[int, Matte] = {}

    def follow(self, frame: Frame) -> None:
        """Find the object in the next frame."""
        self._mattes[frame.index] = self._tracker.step(eight_bit(frame))
        self._mattes.pop(frame.index - KEPT, None)

    def __len__(self) -> int:
        return len(self._mattes)

    def __getitem__(self, index: int) -> Matte:
        return self._mattes[index]

    def box(self, index: int) -> Box | None:
        return bounding_box(self._mattes[index])


@dataclass(frozen=True)
class Begun:
    """A frame (H, W), and each layer's draft of it."""

    frame: Frame
    drafts: Sequence[Draft | None]


class Session:
    """Everything needed for live pictures of one size: statistics frozen over the first frames,
    and objects tracked from the last of them."""

    def __init__(
        self,
        subjects: Sequence[Subject],
        first: Few,
        height: int,
        parts: Parts,
        options: LookOptions,
    ) -> None:
        """
        Args:
            subjects: see :func:`find_subjects`.
            first: the frames in which they were found.
            height: of the restyled pictures; their width follows from the source's aspect ratio.
        """
        self._height = height
        small = first.scaled(height)
        *_, last = small.frames()
        self.size = small.size
        self._next = 0
        self._followed: list[Followed] = []
        self._layers: list[Layer] = []
        context = layer_context(parts)
        for subject in subjects:
            mattes = mattes_of(subject.found, small)
            style = read_style(subject.style, small.size, parts.stylizer, options.style_scale)
            # Supersampling takes longer: only on request.
            transfer = freeze_over(small, mattes, style, parts, options.supersample or 1)
            if transfer is None:
                continue
            if subject.found is not None:
                mattes = Followed(last, mattes[small.count - 1])
                self._followed.append(mattes)
            self._layers.append(Layer(mattes, transfer, options, context))

    def step(self, frame: Frame) -> Frame:
        """The restyled frame, at this session's size. Frames come in order; some may be missing."""
        return self.finish(self.begin(frame)())

    def begin(self, frame: Frame) -> Callable[[], Begun]:
        """The first part of :meth:`step`, to be called in any thread, for at most ``KEPT`` frames
        at a time."""
        frame = replace(scaled(frame, self._height), index=self._next)
        self._next += 1
        for followed in self._followed:
            followed.follow(frame)
        drafting = [layer.drafting([frame]) for layer in self._layers]
        return lambda: Begun(frame, [draft() for draft in drafting])

    def finish(self, begun: Begun) -> Frame:
        """The second part, for frames in order."""
        canvas = begun.frame.image[None]
        for layer, draft in zip(self._layers, begun.drafts, strict=True):
            canvas = layer.finish([begun.frame], draft, canvas)
        return replace(begun.frame, image=canvas[0])
