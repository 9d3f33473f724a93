"""Parts, wholes and groups."""

from vidstyle.media.frame import Box
from vidstyle.segment.detectors.detector import Detection
from vidstyle.segment.detectors.nesting import merge_nested


def seen(name, score, *box):
    return Detection(name, score, Box(*box))


def test_a_part_is_merged_into_the_whole_with_the_better_score():
    whole, part = seen("person", 0.6, 10, 10, 60, 110), seen("person", 0.9, 20, 20, 50, 90)
    assert merge_nested([part, whole]) == [seen("person", 0.9, 10, 10, 60, 110)]


def test_a_box_around_two_clearer_ones_is_a_group():
    left, right = seen("person", 0.9, 10, 10, 40, 90), seen("person", 0.8, 60, 10, 95, 90)
    assert merge_nested([seen("person", 0.5, 5, 5, 100, 95), right, left]) == [left, right]


def test_side_by_side_and_other_kinds_are_left_alone():
    person, ball = seen("person", 0.9, 10, 10, 60, 110), seen("sports ball", 0.5, 20, 50, 30, 60)
    other = seen("person", 0.7, 50, 10, 100, 110)
    assert merge_nested([ball, other, person]) == [person, other, ball]
