"""The objects in a clip: a list, and a contact sheet of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import cv2
import numpy as np

from vidstyle.errors import ObjectNotFoundError
from vidstyle.inspect.marking import Image, colour_of, label, mark_box
from vidstyle.media.frame import Box
from vidstyle.media.video.shots import Shot
from vidstyle.pipeline.analysis import Take
from vidstyle.runtime.progress import Progress
from vidstyle.segment.clip import eight_bit, first_frame, resized, working_size
from vidstyle.segment.detectors.detector import Detector
from vidstyle.segment.search import looked_at, search
from vidstyle.segment.tracking.linking import Sighting

TILES = 12  # maximum frames on a sheet
COLUMNS = 3
TILE = 640  # long side of a tile, in pixels


@dataclass(frozen=True)
class SurveyedObject:
    """An object in a shot.

    Attributes:
        name: as accepted by ``--object``, for this shot: ``person#2``.
        shot: the shot that was searched.
        boxes: where it was seen, by frame, in pixels of the clip.
        scores: the detector's, 0 to 1, in the same frames.
    """

    name: str
    shot: Shot
    boxes: dict[int, Box]
    scores: dict[int, float]

    @property
    def best(self) -> int:
        """The frame in which it is seen most clearly; the first in a tie."""
        return max(self.scores, key=lambda frame: (self.scores[frame], -frame))

    def __str__(self) -> str:
        box = self.boxes[self.best]
        return (
            f"{self.name:<18} shot {self.shot.start}-{self.shot.stop - 1}  "
            f"seen in {len(self.boxes)} frames, {min(self.boxes)}-{max(self.boxes)}  "
            f"score {fmean(self.scores.values()):.2f}  "
            f"box:{box.x0},{box.y0},{box.x1},{box.y1}@{self.best}"
        )


def survey(take: Take, detector: Detector, progress: Progress) -> list[SurveyedObject]:
    """Every object that the detector finds, by shot, and the most prominent first within a shot.

    Raises:
        ObjectNotFoundError: it finds none.
    """
    progress.stage("objects", sum(len(looked_at(span)) for span in take.spans))
    found = []
    for shot in take.shots:
        counts: dict[str, int] = {}
        for sighting in search(
            take, (shot.start, shot.stop), detector, (), on_frames=progress.advance
        ):
            counts[sighting.name] = counts.get(sighting.name, 0) + 1
            found.append(_surveyed(sighting, counts[sighting.name], shot, take.size))
    if not found:
        raise ObjectNotFoundError(
            f"--list-objects: {detector.name} finds no object in {take.reader.info.path}; "
            "give a box, point or mask"
        )
    return found


def draw(take: Take, objects: Sequence[SurveyedObject]) -> Image:
    """An RGB contact sheet that marks each object at least once, as far as ``TILES`` allows."""
    tiles = []
    for index in _telling_frames(objects):
        picture = resized(eight_bit(first_frame(take, index)), _tile_size(take.size))
        here = [(number, seen) for number, seen in enumerate(objects) if index in seen.boxes]
        for number, seen in here:
            box = _scaled(seen.boxes[index], take.size, picture.shape[:2])
            mark_box(picture, box, colour_of(number))
        for number, seen in here:
            box = _scaled(seen.boxes[index], take.size, picture.shape[:2])
            text = f"{seen.name} {seen.scores[index]:.2f}"
            label(picture, text, box.x0, box.y0, colour_of(number))
        label(picture, f"frame {index}", 0, picture.shape[0], (255, 255, 255))
        tiles.append(picture)
    columns = min(COLUMNS, len(tiles))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(rows)


def encoded(picture: Image) -> bytes:
    """An RGB picture (H, W, 3) encoded as PNG."""
    return cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()


def _surveyed(
    sighting: Sighting, instance: int, shot: Shot, size: tuple[int, int]
) -> SurveyedObject:
    small = working_size(size)
    return SurveyedObject(
        f"{sighting.name}#{instance}",
        shot,
        {frame: _scaled(d.box, small, size) for frame, d in sighting.seen.items()},
        {frame: d.score for frame, d in sighting.seen.items()},
    )


def _telling_frames(objects: Sequence[SurveyedObject]) -> list[int]:
    """A few frames that show all objects, chosen greedily: each shows the remaining ones best."""
    chosen: list[int] = []
    left = list(objects)
    while left and len(chosen) < TILES:
        frames = {frame for seen in left for frame in seen.boxes}
        best = max(frames, key=lambda f: (sum(seen.scores.get(f, 0.0) for seen in left), -f))
        chosen.append(best)
        left = [seen for seen in left if best not in seen.boxes]
    return sorted(chosen)


def _tile_size(size: tuple[int, int]) -> tuple[int, int]:
    scale = TILE / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _scaled(box: Box, size: tuple[int, int], other: tuple[int, int]) -> Box:
    """A box in pixels of a frame of ``size`` (H, W), converted to another size."""
    down, across = other[0] / size[0], other[1] / size[1]
    x0, y0 = int(box.x0 * across), int(box.y0 * down)
    return Box(x0, y0, max(x0 + 1, round(box.x1 * across)), max(y0 + 1, round(box.y1 * down)))
