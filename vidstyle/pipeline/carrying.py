"""Carrying the painted keys of one object through the shots of a clip."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from vidstyle.carry.carried import Carried, Key
from vidstyle.carry.carrier import Carrier, resized, spread
from vidstyle.carry.field import FieldFolder
from vidstyle.carry.key import PaintedFrame
from vidstyle.errors import ObjectNotFoundError, UsageError
from vidstyle.media.frame import Frame, unit_range
from vidstyle.motion.estimator import FlowEstimator
from vidstyle.pipeline.fading import Fades, lifted
from vidstyle.runtime.progress import Progress
from vidstyle.segment.clip import Clip, first_frame, working_size
from vidstyle.segment.mattes.store import Mattes

#: Frames on either side of the midpoint between two keys over which they crossfade.
CROSSFADE = 8
#: Frames held in memory when a shot is read backwards.
CHUNK = 16
#: Share of an object that keys should show; below it another key is proposed.
WANTED = 0.3
#: Maximum number of proposed frames.
PROPOSALS = 3


@dataclass(frozen=True)
class Stretch:
    """The frames of a shot that one key paints.

    Attributes:
        key: its frame.
        start, stop: half-open.
        before, after: the neighbouring keys in the shot; None if there are none.
    """

    key: int
    start: int
    stop: int
    before: int | None
    after: int | None

    def share(self, frame: int) -> float:
        """Weight of this key in a frame."""
        if frame < self.key:
            return 1.0 if self.before is None else _share(self.before, self.key, frame)
        return 1.0 if self.after is None else 1 - _share(self.key, self.after, frame)


def _share(left: int, right: int, frame: int) -> float:
    """Weight of the right of two keys in a frame between them: a smooth ramp through one half."""
    half = max(0.5, min(CROSSFADE, (right - left) / 4))
    place = min(1.0, max(0.0, (frame - (left + right) / 2) / (2 * half) + 0.5))
    return place * place * (3 - 2 * place)


def stretches(keys: Sequence[int], shot: tuple[int, int]) -> list[Stretch]:
    """The frames of a shot in which each of its keys has a share."""
    inside = sorted(key for key in keys if shot[0] <= key < shot[1])
    found = []
    for place, key in enumerate(inside):
        before = inside[place - 1] if place else None
        after = inside[place + 1] if place + 1 < len(inside) else None
        stretch = Stretch(key, *shot, before, after)
        painted = [frame for frame in range(*shot) if _between(before, frame, after)]
        painted = [frame for frame in painted if stretch.share(frame) > 0]
        found.append(Stretch(key, painted[0], painted[-1] + 1, before, after))
    return found


def _between(before: int | None, frame: int, after: int | None) -> bool:
    return (before is None or frame > before) and (after is None or frame < after)


@dataclass(frozen=True)
class Footage:
    """A clip and an object in it, as carrying uses them: at working size.

    Attributes:
        clip: as viewed.
        mattes: of the object.
        fades: faded frames, whose fade is removed.
    """

    clip: Clip
    mattes: Mattes
    fades: Fades

    @property
    def size(self) -> tuple[int, int]:
        """(h, w)"""
        return working_size(self.clip.size)

    def onwards(self, start: int, stop: int) -> Iterator[tuple[int, Tensor]]:
        """Numbers and pictures, (1, 3, h, w) in [0, 1], of a range of frames, possibly empty."""
        if start >= stop:
            return
        for frame in self.clip.frames(start, stop):
            yield frame.index, self.picture(frame)

    def picture(self, frame: Frame) -> Tensor:
        """A frame's picture, (1, 3, h, w) in [0, 1]."""
        return lifted(resized(unit_range(frame.image)[None], self.size), [frame], self.fades)

    def back(self, start: int, stop: int) -> Iterator[tuple[int, Tensor]]:
        """The same in reverse order, read in chunks."""
        for end in range(stop, start, -CHUNK):
            yield from reversed(list(self.onwards(max(start, end - CHUNK), end)))

    def matte(self, frame: int) -> Tensor:
        """(1, 1, h, w) in [0, 1]."""
        matte = torch.from_numpy(self.mattes[frame])[None, None].float() / 255
        return resized(matte, self.size)


def check_keys(
    keys: Sequence[PaintedFrame], shots: Sequence[tuple[int, int]], *, styled: bool
) -> None:
    """Reject keys outside the rendered frames, and shots with neither key nor style.

    Args:
        shots: first frame and end of each.
        styled: whether there is a style for what the keys do not show.

    Raises:
        UsageError
    """
    first, end = shots[0][0], shots[-1][1]
    for key in keys:
        if not first <= key.frame < end:
            raise UsageError(
                f"{key.name}: not among the frames that are rendered, {first}-{end - 1}; "
                "frames count from 0"
            )
    if len({key.frame for key in keys}) < len(keys):
        raise UsageError(f"{keys[-1].name}: two keys of one object paint the same frame; give one")
    for start, stop in shots:
        if not styled and not any(start <= key.frame < stop for key in keys):
            raise UsageError(
                f"no --key paints frames {start}-{stop - 1}, which are a shot of their own; "
                "paint one there, or give --style for it"
            )


def carry(
    keys: Sequence[PaintedFrame],
    shots: Sequence[tuple[int, int]],
    footage: Footage,
    flow: FlowEstimator,
    folder: Path,
    progress: Progress,
    *,
    styled: bool,
) -> Carried:
    """Carry keys to all frames of their shots.

    Args:
        shots: first frame and end of each.
        footage: with the mattes of the painted object.
        folder: for the fields.
        styled: whether a style paints what the keys do not show.

    Raises:
        ObjectNotFoundError: the object is not in a painted frame.
        MediaError: the disk write fails.
    """
    ready = [_ready(key, footage.mattes) for key in sorted(keys, key=lambda key: key.frame)]
    fields, confidences = FieldFolder(folder), {key.frame: 1.0 for key in ready}
    spans = [span for shot in shots for span in stretches([key.frame for key in ready], shot)]
    progress.stage("keys", sum(span.stop - span.start - 1 for span in spans))
    for number, (key, span) in enumerate(zip(ready, spans, strict=True)):
        carrier = _carrier(key, footage, flow)
        after = footage.onwards(key.frame + 1, span.stop)
        before = footage.back(span.start, key.frame)
        for frames in (after, before):
            carrier.reset()
            for frame, image in frames:
                field = carrier.step(image, footage.matte(frame), span.share(frame))
                if field is not None:
                    fields.put(frame, number, field)
                    known = field.matches[0] >= 0
                    shown = float(field.shown[known].mean()) if known.any() else 0.0
                    confidences[frame] = confidences.get(frame, 0.0) + field.share * shown
                progress.advance(1)
    for start, stop in shots:
        if not any(start <= key.frame < stop for key in ready):
            seen = (frame for frame in range(start, stop) if footage.mattes.box(frame))
            confidences |= dict.fromkeys(seen, 0.0)
    return Carried(ready, fields, confidences, alone=not styled)


def proposed(confidences: Mapping[int, float]) -> list[int]:
    """Frames to paint next, the most useful first: one in each run of frames in which the keys
    show little of the object, placed so that half of what is missing lies on either side."""
    runs: list[list[int]] = []
    for frame in sorted(confidences):
        if confidences[frame] < WANTED:
            if not runs or runs[-1][-1] < frame - 1:
                runs.append([])
            runs[-1].append(frame)
    missing = [[WANTED - confidences[frame] for frame in run] for run in runs]
    order = sorted(range(len(runs)), key=lambda number: -sum(missing[number]))
    halves = [np.searchsorted(np.cumsum(each), sum(each) / 2) for each in missing]
    return [runs[number][int(halves[number])] for number in order[:PROPOSALS]]


def _ready(key: PaintedFrame, mattes: Mattes) -> Key:
    frame = key.frame
    matte = torch.from_numpy(mattes[frame])[None, None].float() / 255
    if not matte.any():
        raise ObjectNotFoundError(
            f"{key.name}: the object is not seen in frame {frame}; paint a frame that shows it, "
            "or give a box, point or mask there"
        )
    # Quantised as in a work directory's files, so that a farm paints the same pixels.
    picture = (key.picture * 65535).round() / 65535
    if key.outline is None:
        return Key(frame, spread(picture, matte))
    beyond = _beyond(key.outline, matte)
    return Key(
        frame, spread(picture, key.outline), None if beyond is None else beyond.half().float()
    )


def _beyond(outline: Tensor, matte: Tensor) -> Tensor | None:
    """What an outline adds to the matte and removes from it, where that is more than a slightly
    different edge."""
    gap = outline - matte
    reach = max(2, round(min(matte.shape[2:]) / 160))
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    large = cv2.morphologyEx((gap[0, 0].abs() > 0.5).byte().numpy(), cv2.MORPH_OPEN, element)
    if not large.any():
        return None
    near = cv2.dilate(large, element)
    return gap * torch.from_numpy(near)[None, None]


def _carrier(key: Key, footage: Footage, flow: FlowEstimator) -> Carrier:
    image = footage.picture(first_frame(footage.clip, key.frame))
    reach = 0
    if key.outline is not None:
        outside = (footage.mattes[key.frame] < 128).astype(np.uint8)
        away = cv2.distanceTransform(outside, cv2.DIST_L2, 5)
        scale = footage.size[0] / key.outline.shape[2]
        reach = int(scale * away[key.outline[0, 0].numpy() > 0.1].max(initial=0))
    paint = resized(key.paint, footage.size)
    return Carrier(image, footage.matte(key.frame), paint, flow, reach)
