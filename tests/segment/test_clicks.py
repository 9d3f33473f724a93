"""What a click means: of a model's answers the whole object, or a part that more clicks ask for."""

import numpy as np
import pytest

from vidstyle.media.frame import Box
from vidstyle.segment.mattes.store import bounding_box
from vidstyle.segment.segmenters.promptable import Promptable

SIZE = (60, 100)
PICTURE = np.zeros((*SIZE, 3), np.uint8)
HEAD, BODY, SCENE = Box(40, 10, 50, 20), Box(30, 10, 60, 50), Box(0, 0, 100, 59)


def answer(box, margin=8.0):
    """Logits of a box; about a soft one there is a wide rim that hardly is the object."""
    logits = np.full(SIZE, -margin, np.float32)
    logits[box.rows, box.columns] = margin
    return logits


def unstable(box):
    logits = answer(box)
    rim = box.padded(20, 1, SIZE)
    logits[rim.rows, rim.columns] = np.maximum(logits[rim.rows, rim.columns], 0.5)
    return logits


class Canned(Promptable):
    """Answers each question with the same three, and remembers what it was asked."""

    name = "canned"

    def __init__(self, *answers):
        super().__init__()
        self._logits = np.stack([logits for logits, _ in answers])
        self._scores = np.array([score for _, score in answers], np.float32)
        self.asked = []

    def _look_at(self, image):
        pass

    def _answers(self, features, box, points, hint, several):  # noqa: ARG002
        self.asked.append((box, list(points), several))
        count = 3 if several else 1
        return self._logits[:count].copy(), self._scores[:count].copy()


def taken(model, points=((45, 15),), outside=()):
    return bounding_box(np.where(model.segment(PICTURE, points=points, outside=outside) > 127, 1, 0)
                        .astype(np.uint8))  # fmt: skip


def test_a_click_takes_the_whole_and_not_the_part_that_is_scored_best():
    model = Canned((answer(HEAD), 0.98), (answer(BODY), 0.90), (answer(SCENE), 0.3))
    assert taken(model) == BODY


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((answer(BODY), 0.6), id="scored badly"),
        pytest.param((unstable(BODY), 0.97), id="not stable"),
        pytest.param((answer(SCENE), 0.97), id="most of the picture"),
        pytest.param((answer(Box(60, 10, 90, 50)), 0.97), id="beside the click"),
    ],
)
def test_an_answer_that_cannot_be_believed_is_not_taken(other):
    assert taken(Canned((answer(HEAD), 0.98), other, (answer(SCENE), 0.1))) == HEAD


def test_a_click_on_what_is_not_meant_leaves_the_part():
    model = Canned((answer(HEAD), 0.98), (answer(BODY), 0.95), (answer(SCENE), 0.3))
    assert taken(model, outside=[(45, 40)]) == HEAD


def test_the_best_is_taken_where_none_can_be_believed():
    model = Canned((unstable(HEAD), 0.7), (answer(SCENE), 0.9), (answer(BODY), 0.2))
    assert taken(model) == SCENE


def test_the_answer_is_asked_about_again_with_its_box():
    model = Canned((answer(HEAD), 0.98), (answer(BODY), 0.90), (answer(SCENE), 0.3))
    taken(model, outside=[(5, 5)])
    points = [((45, 15), True), ((5, 5), False)]
    assert model.asked == [(None, points, True), (BODY, points, True)]


def test_nothing_is_asked_about_nothing():
    nothing = np.full(SIZE, -8.0, np.float32)
    model = Canned((nothing, 0.9), (nothing, 0.8), (nothing, 0.7))
    assert not model.segment(PICTURE, points=[(45, 15)]).any()
    assert len(model.asked) == 1
