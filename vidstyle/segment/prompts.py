"""The object prompts of ``--object SPEC``: their grammar and their meaning.

    SPEC    = PROMPT { "+" PROMPT }
    PROMPT  = NAME [ "#" N ]                  the Nth most prominent NAME of a shot, from 1
            | ["-"] "box:" x0,y0,x1,y1 [ "@" FRAME ]
            | ["-"] "point:" x,y [ "@" FRAME ]
            | "mask:" FILE [ "#" PICK ] [ "@" FRAME ]  a matte to track
            | "matte:" PATTERN [ "#" PICK ]   a matte for every frame, used as it is
            | "all"                           everything that the detector finds

Pixels count from the upper left corner, frames from 0; ``@FRAME`` defaults to 0. With ``-``, a box
or point excludes what is not the object. PICK is the name of a channel, or the number of a label.

``--object frame`` is the whole frame, as one of several layers. It needs no object search and is
handled elsewhere (:func:`vidstyle.options.pair`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vidstyle.errors import UsageError, WeightsError
from vidstyle.media.frame import Box
from vidstyle.media.pattern import matching, split_channel
from vidstyle.segment.detectors.detector import Detector

FORMS = (
    "NAME, NAME#N, box:x0,y0,x1,y1[@frame], point:x,y[@frame], mask:FILE[@frame], "
    "-box:… or -point:… for what is not the object, matte:PATTERN or all"
)


@dataclass(frozen=True)
class NamePrompt:
    """An object by the name of its class; ``instance`` counts from 1 (see ``linking``)."""

    name: str
    instance: int = 1


@dataclass(frozen=True)
class EverythingPrompt:
    """Every object that the detector finds."""


@dataclass(frozen=True)
class BoxPrompt:
    """A box around the object in one frame; or one without any part of it (``outside``)."""

    box: Box
    frame: int = 0
    outside: bool = False


@dataclass(frozen=True)
class PointPrompt:
    """A pixel (x, y) on the object in one frame; or one that is not on it (``outside``)."""

    x: int
    y: int
    frame: int = 0
    outside: bool = False


@dataclass(frozen=True)
class MaskPrompt:
    """An image with the object's matte in one frame; ``pick`` selects a channel or label."""

    path: Path
    frame: int = 0
    pick: str | None = None


@dataclass(frozen=True)
class MattePrompt:
    """Mattes for all frames: a folder, or a pattern such as ``m.%04d.png`` or ``m.####.png``."""

    pattern: str


FramePrompt = BoxPrompt | PointPrompt | MaskPrompt
Prompt = NamePrompt | EverythingPrompt | FramePrompt | MattePrompt


@dataclass(frozen=True)
class ObjectSpec:
    """One object: all its prompts, the text they were parsed from, and the option it was given
    to, for error messages."""

    text: str
    prompts: tuple[Prompt, ...]
    option: str = "--object"

    def __str__(self) -> str:
        return self.text

    @property
    def frame_prompts(self) -> tuple[FramePrompt, ...]:
        """The prompts that refer to one frame."""
        return tuple(p for p in self.prompts if isinstance(p, FramePrompt))

    @property
    def names(self) -> tuple[NamePrompt | EverythingPrompt, ...]:
        """The prompts that need a detector."""
        return tuple(p for p in self.prompts if isinstance(p, NamePrompt | EverythingPrompt))

    @property
    def given(self) -> MattePrompt | None:
        """The mattes to use as they are, if the object was given that way."""
        return next((p for p in self.prompts if isinstance(p, MattePrompt)), None)

    def check_inside(self, size: tuple[int, int]) -> None:
        """Check every box and point against the frame's ``size`` (H, W).

        Raises:
            UsageError: a box or point is partly or wholly outside the frame.
        """
        height, width = size
        for prompt in self.prompts:
            sign = "-" if says_outside(prompt) else ""
            match prompt:
                case BoxPrompt(box):
                    inside = min(box.x0, box.y0) >= 0 and box.x1 <= width and box.y1 <= height
                    text = f"{sign}box:{box.x0},{box.y0},{box.x1},{box.y1}"
                case PointPrompt(x, y):
                    inside = 0 <= x < width and 0 <= y < height
                    text = f"{sign}point:{x},{y}"
                case _:
                    continue
            if not inside:
                raise UsageError(
                    f"{self.option} {self.text}: {text} reaches outside the frame of "
                    f"{width}x{height} pixels; give pixels of the upright picture"
                )

    def check_names(self, detector: Detector | None) -> None:
        """Check every name against what a detector knows.

        Raises:
            WeightsError: an object is named, but there is no detector.
            ObjectNotFoundError: the detector does not know the object.
        """
        if self.names and detector is None:
            raise WeightsError(
                f"{self.option} {self.text}: finding objects by name needs a detector, and none is "
                "on this machine; run 'vidstyle models fetch', or give a box, point or mask"
            )
        for prompt in self.names:
            if isinstance(prompt, NamePrompt) and detector is not None:
                detector.name_of(prompt.name)

    def check_frames(self, start: int, stop: int) -> None:
        """Check every ``@frame`` against the searched frames, start to stop (exclusive).

        Raises:
            UsageError: a prompt names a frame outside that range.
        """
        for prompt in self.frame_prompts:
            if not start <= prompt.frame < stop:
                raise UsageError(
                    f"{self.option} {self.text}: frame {prompt.frame} cannot be prompted, the "
                    f"frames are {start} to {stop - 1}; name one of them with @frame"
                )


def parse_object(spec: str, option: str = "--object") -> ObjectSpec:
    """Parse the SPEC of ``--object``, or of another ``option``.

    ``+`` and ``@`` are treated as part of a file name if a file of that name exists.

    Raises:
        UsageError: the text is malformed, or its prompts cannot be combined.
    """
    pieces, origin = spec.split("+"), f"{option} {spec}"
    prompts: list[Prompt] = []
    while pieces:
        used, prompt = _next_prompt(origin, pieces)
        prompts.append(prompt)
        del pieces[:used]
    if len(prompts) > 1 and any(isinstance(p, MattePrompt) for p in prompts):
        raise _malformed(origin, "matte: gives every frame's matte and cannot be joined to others")
    if all(says_outside(prompt) for prompt in prompts):
        raise _malformed(origin, "this says only what the object is not; say what it is as well")
    return ObjectSpec(spec, tuple(prompts), option)


def is_named(spec: str) -> bool:
    """Whether a SPEC consists of names alone, so that it cannot refer to a file."""
    return ":" not in spec


def says_outside(prompt: Prompt) -> bool:
    """Whether a prompt excludes something from the object."""
    return isinstance(prompt, BoxPrompt | PointPrompt) and prompt.outside


def _next_prompt(origin: str, pieces: Sequence[str]) -> tuple[int, Prompt]:
    """The first prompt, and how many of the ``+``-separated pieces it uses up."""
    kind, colon, rest = pieces[0].strip().partition(":")
    if not colon:
        return 1, _name(origin, kind)
    match kind:
        case "box" | "point" | "-box" | "-point":
            return 1, _place(origin, kind, rest)
        case "mask" | "matte":
            return _file(origin, kind, [rest, *pieces[1:]])
    raise _malformed(origin, f"unknown kind of prompt '{kind}:'")


def _name(origin: str, text: str) -> Prompt:
    if text == "all":
        return EverythingPrompt()
    match = re.fullmatch(r"([^\W\d_][\w '\-]*?)\s*(?:#(\d+))?", text)
    if match is None:
        raise _malformed(origin, f"'{text}' is no object name" if text else "a prompt is empty")
    instance = int(match[2] or 1)
    if instance < 1:
        raise _malformed(origin, "instances count from 1")
    return NamePrompt(match[1].lower(), instance)


def _place(origin: str, kind: str, text: str) -> Prompt:
    outside, is_box = kind.startswith("-"), kind.endswith("box")
    count = 4 if is_box else 2
    match = re.fullmatch(r"([^@]*)(?:@(\d+))?", text)
    try:
        numbers = [int(number) for number in match[1].split(",")] if match else []
    except ValueError:
        numbers = []
    if match is None or len(numbers) != count:
        form = f"{kind}:x0,y0,x1,y1[@frame]" if is_box else f"{kind}:x,y[@frame]"
        raise _malformed(origin, f"{kind}:{text} is not {form} in whole pixels")
    frame = int(match[2] or 0)
    if not is_box:
        return PointPrompt(numbers[0], numbers[1], frame, outside)
    box = Box(*numbers)
    if box.width <= 0 or box.height <= 0:
        raise _malformed(origin, f"{kind}:{text} is empty; x0 < x1 and y0 < y1 are needed")
    return BoxPrompt(box, frame, outside)


def _file(origin: str, kind: str, pieces: Sequence[str]) -> tuple[int, Prompt]:
    """The longest run of pieces that names something on disk; failing that, the first alone."""
    for used in range(len(pieces), 0, -1):
        text = "+".join(pieces[:used])
        if kind == "matte":
            if text and (used == 1 or _names_pictures(text)):
                return used, MattePrompt(text)
            continue
        match = re.fullmatch(r"(.+)@(\d+)", text)
        name, frame = text, 0
        if match and not Path(text).exists():
            name, frame = match[1], int(match[2])
        name, pick = split_channel(name)
        if text and (used == 1 or Path(name).exists()):
            return used, MaskPrompt(Path(name), frame, pick)
    raise _malformed(origin, f"{kind}: names no file")


def _names_pictures(text: str) -> bool:
    pattern = split_channel(text)[0]
    return Path(pattern).is_dir() or bool(matching(pattern))


def _malformed(origin: str, reason: str) -> UsageError:
    return UsageError(f"{origin}: {reason}; use {FORMS}, joined by +")
