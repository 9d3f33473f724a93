"""Linking detections across the frames of a shot into objects."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from vidstyle.media.frame import Box
from vidstyle.segment.detectors.detector import Detection
from vidstyle.segment.detectors.nesting import shared
from vidstyle.segment.tracking.colours import Look, likeness

_LEAST_SEEN = 0.5  # minimum total score of an object that is seen in one sample only
_MEMORY = 3  # latest sightings used to estimate an object's speed
_CROWDED = 0.3  # overlap with another object's box, above which a frame is no key frame
_LEAST_RATIO = 0.03  # of the areas of two boxes of one object
_COLOUR = 5.0  # weight of similar colours relative to similar places


@dataclass(eq=False)
class Sighting:
    """One object across the sampled frames of a shot.

    Attributes:
        seen: its detection in every frame that shows it.
        colours: of the object in those frames, where they were computed.
        salience: how much each of those frames is about it, 0 to 1, likewise.
    """

    name: str
    seen: dict[int, Detection] = field(default_factory=dict)
    colours: dict[int, Look] = field(default_factory=dict)
    salience: dict[int, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """Sum of the scores."""
        return sum(d.score for d in self.seen.values())

    @property
    def prominence(self) -> float:
        """Sum of the scores, each times the side of its box and its salience: a shot's subject is
        large, is seen often and clearly, and moves near the centre, in focus."""
        return sum(
            d.score * _side(d.box) * self.salience.get(frame, 1.0) for frame, d in self.seen.items()
        )

    @property
    def best(self) -> tuple[int, Detection]:
        """The frame with the best score (the first in a tie), and its detection."""
        return max(self.seen.items(), key=lambda item: (item[1].score, -item[0]))

    def spread(self, count: int, others: Sequence["Sighting"] = ()) -> list[int]:
        """Up to ``count`` frames for key mattes, in order: the object's time on screen is divided
        into equal parts, and each yields the frame that shows it most clearly at its usual size.

        Where another object overlaps it, a segmenter may well pick that one: such frames are left
        out, unless that is how it is usually seen, such as a rider.
        """
        first, last = min(self.seen), max(self.seen)
        usual = median(_side(d.box) for d in self.seen.values())
        crowds = {frame: self._crowd(frame, others) for frame in self.seen}
        bearable = max(_CROWDED, median(crowds.values()))

        def clarity(frame: int) -> float:
            detection = self.seen[frame]
            ratio = _side(detection.box) / usual
            return detection.score * min(ratio, 1 / ratio) * (1 - crowds[frame])

        parts: dict[int, list[int]] = {}
        for frame in (f for f in self.seen if crowds[f] <= bearable):
            parts.setdefault((frame - first) * count // (last - first + 1), []).append(frame)
        return sorted(max(frames, key=clarity) for frames in parts.values())

    def _crowd(self, frame: int, others: Sequence["Sighting"]) -> float:
        """The largest overlap of its box in a frame with another object's."""
        boxes = [other.seen[frame].box for other in others if frame in other.seen]
        return max((shared(self.seen[frame].box, box) for box in boxes), default=0.0)

    def expected(self, frame: int) -> Box:
        """Where the object should be in a later frame: its latest box, extrapolated at its speed
        if the gap is short."""
        latest = sorted(self.seen)[-_MEMORY:]
        box = self.seen[latest[-1]].box
        before = self.seen[latest[0]].box
        span = latest[-1] - latest[0]
        ahead = (frame - latest[-1]) / span if 0 < frame - latest[-1] <= 2 * span else 0.0
        dx = round(ahead * (box.x0 + box.x1 - before.x0 - before.x1) / 2)
        dy = round(ahead * (box.y0 + box.y1 - before.y0 - before.y1) / 2)
        return Box(box.x0 + dx, box.y0 + dy, box.x1 + dx, box.y1 + dy)

    def likeness(self, colours: Look | None) -> float:
        """Of colours to the object's so far, 0 to 1; 0.5 if they were not computed.

        The median, since a box may show two who cross."""
        if colours is None or not self.colours:
            return 0.5
        return median(likeness(seen, colours) for seen in self.colours.values())


def link(
    frames: Mapping[int, Sequence[Detection]],
    colours: Mapping[int, Sequence[Look]] | None = None,
    salience: Mapping[int, Sequence[float]] | None = None,
) -> list[Sighting]:
    """Link the detections of sampled ``frames`` into objects, the most prominent first.

    A detection continues the object of the same name that it fits best by extrapolated place, size
    and colours, no matter how many samples were missed in between. An object seen in one sample
    only, and not clearly, is discarded as a false positive. Instances of a name are numbered in
    the order of the result: by prominence, ties from left to right.

    Args:
        colours, salience: of each detection, in the same order.
    """
    looks = colours or {}
    sightings: list[Sighting] = []
    for frame in sorted(frames):
        detections = frames[frame]
        look = [*looks[frame]] if frame in looks else [None] * len(detections)
        standing = salience[frame] if salience else [1.0] * len(detections)
        pairs = []
        for i, sighting in enumerate(sightings):
            for j, d in enumerate(detections):
                if sighting.name == d.name and (near := _fit(sighting.expected(frame), d.box)):
                    pairs.append((-near - _COLOUR * sighting.likeness(look[j]), i, j))
        taken: set[int] = set()
        for _, i, j in sorted(pairs):
            if frame not in sightings[i].seen and j not in taken:
                _add(sightings[i], frame, detections[j], look[j], standing[j])
                taken.add(j)
        for j, d in enumerate(detections):
            if j not in taken:
                sightings.append(Sighting(d.name))
                _add(sightings[-1], frame, d, look[j], standing[j])
    kept = [s for s in sightings if len(frames) < 3 or len(s.seen) > 1 or s.total >= _LEAST_SEEN]
    return sorted(kept, key=lambda s: (-s.prominence, s.best[1].box.x0))


def _add(
    sighting: Sighting, frame: int, detection: Detection, colours: Look | None, salience: float
) -> None:
    sighting.seen[frame], sighting.salience[frame] = detection, salience
    if colours is not None:
        sighting.colours[frame] = colours


def _fit(a: Box, b: Box) -> float:
    """How likely two boxes some time apart are one object: overlap first, then distance relative
    to their size, and similarity of size; 0 if they cannot be."""
    common, areas = (a & b).area, (a.area, b.area)
    overlap = common / (sum(areas) - common)
    distance = math.hypot(a.x0 + a.x1 - b.x0 - b.x1, a.y0 + a.y1 - b.y0 - b.y1) / 2
    distance /= math.sqrt(max(areas))
    ratio = min(areas) / max(areas)
    if ratio < _LEAST_RATIO or (overlap == 0 and (distance > 3 or ratio < 0.25)):
        return 0.0
    return overlap + ratio / (1 + distance)


def _side(box: Box) -> float:
    return math.sqrt(box.area)
