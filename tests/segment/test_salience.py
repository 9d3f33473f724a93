"""What a picture is about: who moves against the background, in the middle, in focus."""

import cv2
import numpy as np
import pytest

from vidstyle.media.frame import Box
from vidstyle.motion.dis import DisFlow
from vidstyle.segment.detectors.detector import Detection
from vidstyle.segment.detectors.salience import saliences
from vidstyle.segment.search import search

LEFT, MIDDLE, RIGHT = Box(20, 60, 80, 150), Box(130, 60, 190, 150), Box(240, 60, 300, 150)
SIZE = (180, 320)


@pytest.fixture(scope="module")
def noise():
    """A picture (H, W, 3) that flow can follow, with room to move in."""
    grain = np.random.default_rng(0).integers(0, 256, (260, 400, 3)).astype(np.uint8)
    return cv2.normalize(cv2.GaussianBlur(grain, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)


@pytest.fixture(scope="module")
def frame(noise):
    """A frame of a shot in which the camera moves by ``camera`` pixels a frame, and what is in each
    box by as many as it says."""

    def make(index, moving, camera=0):
        def window(shift):
            return noise[40 : 40 + SIZE[0], 40 + shift : 40 + shift + SIZE[1]]

        picture = window(camera * index).copy()
        for box, speed in moving.items():
            there = Box(box.x0 + speed * index, box.y0, box.x1 + speed * index, box.y1)
            picture[there.rows, there.columns] = window(5)[::-1][box.rows, box.columns]
        return picture

    return make


@pytest.mark.parametrize("camera", [0, 3])
def test_who_moves_against_the_background_counts_more(frame, camera):
    """Also when the camera follows, so that who stands by moves in the picture, and they do not."""
    boxes = {LEFT: -camera, RIGHT: 3 - camera}
    first, second = (frame(i, boxes, camera) for i in (0, 1))
    standing, moving = saliences([LEFT, RIGHT], first, second, DisFlow(180))
    assert moving > 3 * standing > 0


def test_the_middle_counts_more_than_the_edge(frame):
    picture = frame(0, {})
    aside, middle = saliences([LEFT, MIDDLE], picture, None, DisFlow(180))
    assert 1 >= middle > 1.5 * aside


def test_what_is_in_focus_counts_more(frame):
    picture = frame(0, {})
    picture[:, :160] = cv2.GaussianBlur(picture, (0, 0), 6)[:, :160]
    blurred, sharp = saliences([LEFT, RIGHT], picture, None, DisFlow(180))
    assert sharp > 1.5 * blurred


def test_where_nothing_tells_them_apart_they_count_alike(frame):
    """No background is left to judge the camera's motion by."""
    boxes = [Box(0, 0, 160, 180), Box(160, 0, 320, 180)]
    picture = frame(0, {})
    one, other = saliences(boxes, picture, frame(1, {}, 3), DisFlow(180))
    assert one == pytest.approx(other, rel=0.2)
    assert saliences([], picture, None, DisFlow(180)) == []


def test_a_dancer_comes_before_her_larger_audience(frame, make_array_clip):
    """Whom the detector sees larger, more clearly and more often. The camera follows the dancer."""
    clip = make_array_clip([frame(i, {MIDDLE: 0}, camera=2) for i in range(16)])
    audience = Box(5, 30, 105, 175)

    class Seeing:
        name = "seeing"

        def __init__(self):
            self._looks = 0

        def detect(self, image, names=(), faint=False):  # noqa: ARG002
            self._looks += 1
            found = [Detection("person", 0.9, audience)]
            return found + [Detection("person", 0.5, MIDDLE)] * (self._looks % 2)

    first, second = search(clip, (0, 16), Seeing(), ["person"])
    assert first.best[1].box == MIDDLE
    assert second.best[1].box == audience
