"""Linking detections over the frames of a shot into objects."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vidstyle.frame import Box
from vidstyle.segment.detect import Detection


@dataclass
class Sighting:
    """One object over the sampled frames of a shot: ``seen`` maps a frame to its detection."""

    name: str
    seen: dict[int, Detection] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """Sum of the scores."""
        return sum(d.score for d in self.seen.values())

    @property
    def prominence(self) -> float:
        """Sum of the scores, each times the side of its box: what a shot is about is large, and
        seen often and clearly."""
        return sum(d.score * math.sqrt(d.box.width * d.box.height) for d in self.seen.values())

    @property
    def best(self) -> tuple[int, Detection]:
        """The frame with the best score, the first of equals, and its detection."""
        return max(self.seen.items(), key=lambda item: (item[1].score, -item[0]))


def link(frames: Mapping[int, Sequence[Detection]]) -> list[Sighting]:
    """Link the detections of sampled ``frames`` into objects, the most prominent first.

    A detection continues the like-named object whose latest box it fits best, however many
    samples were missed in between. An object seen in one sample only, and not clearly, is taken
    for the detector's invention. Instances of a name count in the order of the result: by
    prominence, equals from left to right.
    """
    sightings: list[Sighting] = []
    for frame in sorted(frames):
        detections = frames[frame]
        pairs = sorted(
            (
                (-_fit(max(s.seen.items())[1].box, d.box), i, j)
                for i, s in enumerate(sightings)
                for j, d in enumerate(detections)
                if s.name == d.name
            ),
        )
        taken: set[int] = set()
        for fit, i, j in pairs:
            if fit < 0 and frame not in sightings[i].seen and j not in taken:
                sightings[i].seen[frame] = detections[j]
                taken.add(j)
        sightings += [
            Sighting(d.name, {frame: d}) for j, d in enumerate(detections) if j not in taken
        ]
    kept = [s for s in sightings if len(frames) < 3 or len(s.seen) > 1 or s.total >= 0.5]
    return sorted(kept, key=lambda s: (-s.prominence, s.best[1].box.x0))


def _fit(a: Box, b: Box) -> float:
    """How well two boxes some time apart can be one object: overlap first, then nearness in units
    of their size and likeness of size; 0 when they cannot."""
    shared = max(0, min(a.x1, b.x1) - max(a.x0, b.x0)) * max(0, min(a.y1, b.y1) - max(a.y0, b.y0))
    areas = a.width * a.height, b.width * b.height
    overlap = shared / (sum(areas) - shared)
    distance = math.hypot(a.x0 + a.x1 - b.x0 - b.x1, a.y0 + a.y1 - b.y0 - b.y1) / 2
    distance /= math.sqrt(max(areas))
    ratio = min(areas) / max(areas)
    if overlap == 0 and (distance > 3 or ratio < 0.25):
        return 0.0
    return overlap + ratio / (1 + distance)
