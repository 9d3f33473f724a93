"""The review video: every object's mattes over the plate, with its name and confidence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from vidstyle.inspect.marking import Image, colour_of, label, mark_matte, scale_of
from vidstyle.media.frame import Frame
from vidstyle.media.video.writer import open_writer
from vidstyle.pipeline.analysis import Take
from vidstyle.pipeline.carrying import proposed
from vidstyle.pipeline.output import plain
from vidstyle.segment.clip import eight_bit
from vidstyle.segment.mattes.store import Mattes

_LOST = np.array((60, 60, 60), np.float32)
_POOR = np.array((220, 50, 32), np.float32)
_GOOD = np.array((0, 170, 80), np.float32)
_BAR = 8  # height of an object's bar, in pixels, in a picture with a long side of 1280


@dataclass(frozen=True)
class Reviewed:
    """An object to be reviewed.

    Attributes:
        carried: how well its painted keys show it, by frame, 0 to 1; None if it has no keys.
    """

    name: str
    mattes: Mattes
    carried: Mapping[int, float] | None = None

    @cached_property
    def wanted(self) -> list[int]:
        """Frames that it would be best to paint next."""
        return proposed(self.carried or {})


def write_review(take: Take, objects: Sequence[Reviewed], target: str) -> None:
    """Write a video of the take for reviewing mattes and painted keys.

    Each object is tinted in its own colour and labelled with its name and its confidence in the
    frame. A bar per object along the bottom spans the whole take: from red (0) to green (1) by
    confidence, dark where the object is not seen; a white line marks the current frame. An object
    with painted keys has a second bar for how well they show it, and a label in the frames that it
    would be best to paint next.

    Args:
        target: a video file.

    Raises:
        UsageError, MediaError: see ``open_writer``.
    """
    bars = [bar for reviewed in objects for bar in _bars(reviewed, take)]
    with open_writer(target, plain(take.reader.info, bits=8)) as writer:
        for frame in take.frames(take.start):
            image = torch.from_numpy(_marked(frame, objects, bars, take))
            writer.write(replace(frame, image=image, alpha=None, origin=None))


def _marked(frame: Frame, objects: Sequence[Reviewed], bars: Sequence[Image], take: Take) -> Image:
    image = eight_bit(frame).copy()
    for number, seen in enumerate(objects):
        if seen.mattes.box(frame.index):
            image = mark_matte(image, seen.mattes[frame.index], colour_of(number))
    line = round(40 * scale_of(image))
    for number, seen in enumerate(objects):
        if box := seen.mattes.box(frame.index):
            text = f"{seen.name} {seen.mattes.confidence(frame.index):.2f}{_key(seen, frame.index)}"
            label(image, text, box.x0, box.y0 - line, colour_of(number))
        else:
            label(image, f"{seen.name}: not seen", 0, (number + 1) * line, colour_of(number))
    label(image, f"frame {frame.index}", 0, 0, (255, 255, 255))
    _draw_bars(image, bars, (frame.index - take.start + 0.5) / take.frame_count)
    return image


def _key(seen: Reviewed, frame: int) -> str:
    """The part of a label about painted keys."""
    if seen.carried is None:
        return ""
    advice = ", paint this frame" if frame in seen.wanted else ""
    return f", keys {seen.carried.get(frame, 0.0):.2f}{advice}"


def _bars(seen: Reviewed, take: Take) -> list[Image]:
    """An object's bars, from top to bottom."""
    bars = [_bar(seen.mattes.confidence, seen.mattes, take)]
    if (carried := seen.carried) is not None:
        bars.append(_bar(lambda frame: carried.get(frame, 0.0), seen.mattes, take))
    return bars


def _bar(confidence: Callable[[int], float], mattes: Mattes, take: Take) -> Image:
    """The colour for every frame of the take: (1, frames, 3)."""
    colours = []
    for index in range(take.start, take.count):
        sure = confidence(index)
        colours.append(_POOR + sure * (_GOOD - _POOR) if mattes.box(index) else _LOST)
    return np.asarray(np.rint(np.stack(colours)[None]), np.uint8)


def _draw_bars(image: Image, bars: Sequence[Image], now: float) -> None:
    """Draw along the picture's lower edge; ``now`` is the elapsed share of the take."""
    height, width = image.shape[:2]
    side = max(2, round(_BAR * scale_of(image)))
    columns = np.arange(width)
    for number, bar in enumerate(reversed(bars)):
        low = height - number * side
        if low - side >= 0:
            image[low - side : low] = bar[:, columns * bar.shape[1] // width]
    top = max(0, height - len(bars) * side)
    here = int(now * width)
    image[top:, max(0, here - 1) : here + 1] = 255
