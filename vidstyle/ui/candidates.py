"""Objects of a clip that can be chosen by name, numbered and clickable."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from vidstyle.errors import ObjectNotFoundError, WeightsError
from vidstyle.inspect.marking import colour_of, label, mark_box, scale_of
from vidstyle.inspect.survey import SurveyedObject, survey
from vidstyle.media.colour_management import manage
from vidstyle.media.frame import Box
from vidstyle.media.video.kept import KeptClip
from vidstyle.media.video.reader import open_clip
from vidstyle.options import RenderOptions
from vidstyle.pipeline.analysis import find_take
from vidstyle.runtime.progress import Progress
from vidstyle.segment.search import looked_at
from vidstyle.ui.models import kept_parts
from vidstyle.ui.selection import Image

_GREY = (190, 190, 190)


@dataclass(frozen=True)
class Candidates:
    """Objects of a clip, by shot, the most prominent first."""

    found: Sequence[SurveyedObject]

    @property
    def names(self) -> list[str]:
        """Names of all objects, as for ``--object``; each once, even if in several shots."""
        return list(dict.fromkeys(each.name for each in self.found))

    def boxes(self, frame: int) -> dict[str, Box]:
        """Where each object is in a frame, by name."""
        return {each.name: _box(each, frame) for each in self.found if _is_there(each, frame)}

    def is_one_of_several(self, name: str) -> bool:
        """Whether there are others of its kind."""
        kinds = [each.partition("#")[0] for each in self.names]
        return name in self.names and kinds.count(name.partition("#")[0]) > 1

    def seen_best(self, name: str, first: int, last: int) -> dict[int, Box]:
        """Where an object is in these frames: for each shot the frame in which it is seen most
        clearly or, if none of them was searched, the one nearest to a sighting."""
        places = {}
        for each in (each for each in self.found if each.name == name):
            there = [frame for frame in range(first, last + 1) if _is_there(each, frame)]
            if there:
                best = max(there, key=partial(_clearness, each))
                places[best] = _box(each, best)
        return places

    def at(self, x: int, y: int, frame: int) -> str | None:
        """The smallest object at a place; None if there is none."""
        boxes = self.boxes(frame)
        here = [
            name for name, box in boxes.items() if box.x0 <= x < box.x1 and box.y0 <= y < box.y1
        ]
        return min(here, key=lambda name: boxes[name].area, default=None)

    def drawn(self, picture: Image, frame: int, chosen: str) -> Image:
        """A frame's picture (H, W, 3) with a box and a name for each object; if one is chosen,
        the others are grey, with their numbers."""
        marked, boxes = picture.copy(), self.boxes(frame)
        taken = {numbered(name) for name in chosen.split("+")} & set(boxes)
        for name in sorted(boxes, key=taken.__contains__):  # the chosen one on top
            box, is_grey = boxes[name], bool(taken) and name not in taken
            colour = _GREY if is_grey else colour_of(self.names.index(name))
            mark_box(marked, box, colour)
            if name in taken:
                mark_box(marked, _inside(box, scale_of(marked)), colour)
            label(marked, name[name.index("#") :] if is_grey else name, box.x0, box.y0, colour)
        return marked


def find_candidates(clip: Path, options: RenderOptions, progress: Progress) -> Candidates:
    """Search a clip for objects.

    Raises:
        WeightsError: no detector's weights are on this machine.
        ObjectNotFoundError: nothing is found.
        MediaError: the clip cannot be decoded.
    """
    detector = kept_parts(options).detector
    if detector is None:
        raise WeightsError(
            "finding objects by name requires a detector, and this server has none; run "
            "'vidstyle models fetch' on it, or choose click or box"
        )
    reader = open_clip(str(clip))
    progress.outline(["cuts", "objects"])
    with closing(KeptClip(reader, None)) as kept:
        take = find_take(kept, options, manage(reader.info, options.colorspace), progress)
        try:
            return Candidates(survey(take, detector, progress))
        except ObjectNotFoundError:
            raise ObjectNotFoundError(
                f"{detector.name} recognises nothing in this clip; choose click or box"
            ) from None


def numbered(name: str) -> str:
    """``person#1`` for ``person``."""
    name = name.strip().lower()
    return name if "#" in name or not name else f"{name}#1"


def _is_there(each: SurveyedObject, frame: int) -> bool:
    """Whether an object is in a frame; an estimate for frames that were not searched."""
    shot = each.shot
    looked = looked_at((shot.start, shot.stop))
    reach = max((after - before for before, after in pairwise(looked)), default=shot.stop)
    near = min(each.boxes) - reach < frame < max(each.boxes) + reach
    return near and shot.start <= frame < shot.stop


def _clearness(each: SurveyedObject, frame: int) -> tuple[float, int]:
    """How clearly it is seen in a frame: by the detector, or by how near it was seen."""
    return each.scores.get(frame, 0.0), -min(abs(frame - seen) for seen in each.boxes)


def _box(each: SurveyedObject, frame: int) -> Box:
    """Its box in a frame, interpolated between the sightings before and after."""
    before = max((seen for seen in each.boxes if seen <= frame), default=min(each.boxes))
    after = min((seen for seen in each.boxes if seen >= frame), default=max(each.boxes))
    a, b = each.boxes[before], each.boxes[after]
    way = (frame - before) / (after - before) if after > before else 0.0
    ends = zip((a.x0, a.y0, a.x1, a.y1), (b.x0, b.y0, b.x1, b.y1), strict=True)
    return Box(*(round(start + way * (end - start)) for start, end in ends))


def _inside(box: Box, scale: float) -> Box:
    """A second outline inside the first."""
    step = max(1, round(2 * scale))
    if min(box.width, box.height) <= 2 * step + 1:
        return box
    return Box(box.x0 + step, box.y0 + step, box.x1 - step, box.y1 - step)
