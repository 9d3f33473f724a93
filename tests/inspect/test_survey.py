"""Listing the objects of a clip, and drawing them."""

import numpy as np
import pytest

from vidstyle.errors import ObjectNotFoundError
from vidstyle.inspect.marking import colour_of
from vidstyle.inspect.survey import TILE, draw, survey
from vidstyle.media.colour_management import manage
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.shots import Shot
from vidstyle.pipeline.analysis import Take
from vidstyle.runtime.progress import build_progress
from vidstyle.segment.detectors.detector import Detection
from vidstyle.segment.mattes.store import bounding_box


class Knowing:
    """A ``Detector`` that sees the astronaut in every frame, and from the ninth on a dog and a
    second person at the upper edge."""

    name = "knowing"

    def __init__(self, frames, shot):
        self._numbers = {f.image.numpy().tobytes(): f.index for f in frames}
        self._shot = shot

    def detect(self, image, names=(), faint=False):  # noqa: ARG002
        number = self._numbers[image.tobytes()]
        found = [Detection("person", 0.9, bounding_box(self._shot.matte(number)))]
        if number > 8:
            corner = np.zeros(self._shot.size, np.uint8)
            corner[:20, :20] = 1
            found += [Detection("person", 0.6, bounding_box(corner))]
            found += [Detection("dog", 0.7, bounding_box(corner[:, ::-1].copy()))]
        return found


@pytest.fixture
def take(shot):
    reader = open_clip(str(shot.clip))
    return Take(reader, [Shot(0, 8), Shot(8, 16)], manage(reader.info, None))


@pytest.fixture
def objects(take, shot):
    return survey(take, Knowing(take.frames(), shot), build_progress("none"))


def test_objects_are_listed_by_shot_and_numbered_by_name(objects, shot):
    names = [(seen.name, seen.shot.start) for seen in objects]
    assert names == [("person#1", 0), ("person#1", 8), ("dog#1", 8), ("person#2", 8)]
    first = objects[0]
    assert all(0 <= frame < 8 for frame in first.boxes)
    assert first.boxes[first.best] == bounding_box(shot.matte(first.best))
    box = first.boxes[first.best]
    prompt = f"box:{box.x0},{box.y0},{box.x1},{box.y1}@{first.best}"
    assert str(first).startswith("person#1")
    assert str(first).endswith(prompt)
    assert "score 0.90" in str(first)


def test_the_picture_marks_every_object(take, objects):
    picture = draw(take, objects)
    height = round(TILE * take.size[0] / take.size[1])
    assert picture.shape == (height, 2 * TILE, 3)  # one frame of each shot shows them all
    for number, tiles in ((0, picture[:, :TILE]), (2, picture[:, TILE:])):
        assert (tiles == colour_of(number)).all(axis=2).sum() > 100


def test_no_object_at_all(take):
    class Blind(Knowing):
        def detect(self, image, names=(), faint=False):  # noqa: ARG002
            return []

    with pytest.raises(ObjectNotFoundError, match="--list-objects"):
        survey(take, Blind([], None), build_progress("none"))
