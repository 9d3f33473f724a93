"""Linking detections over the frames of a shot."""

import numpy as np

from vidstyle.media.frame import Box
from vidstyle.segment.detectors.detector import Detection
from vidstyle.segment.tracking.linking import Sighting, link


def seen(name: str, score: float, x: int, y: int = 50, side: int = 40) -> Detection:
    return Detection(name, score, Box(x, y, x + side, y + side))


def test_a_moving_object_stays_one_though_frames_are_missed():
    frames = {0: [seen("dog", 0.7, 0)], 5: [], 10: [seen("dog", 0.4, 60)], 15: [], 20: []}
    (dog,) = link({**frames, 25: [seen("dog", 0.8, 150)]})
    assert sorted(dog.seen) == [0, 10, 25]
    assert dog.best[0] == 25


def test_a_single_weak_detection_is_an_invention():
    frames = {i: [seen("dog", 0.7, 4 * i)] for i in range(6)}
    frames[3] = [*frames[3], seen("cat", 0.3, 300)]
    assert [s.name for s in link(frames)] == ["dog"]


def test_a_single_clear_detection_is_an_object():
    frames = {i: [] for i in range(6)}
    assert [s.name for s in link({**frames, 2: [seen("cat", 0.8, 30)]})] == ["cat"]


def test_a_still_picture_has_one_sample():
    assert [s.name for s in link({0: [seen("person", 0.3, 30)]})] == ["person"]


def test_two_of_a_kind_side_by_side_are_two():
    frames = {
        i: [seen("person", 0.6, 10 + 3 * i), seen("person", 0.9, 200 - 3 * i)] for i in range(8)
    }
    first, second = link(frames)
    assert all(d.score == 0.9 for d in first.seen.values())
    assert all(d.score == 0.6 for d in second.seen.values())
    assert len(first.seen) == len(second.seen) == 8


def test_the_larger_of_two_equally_clear_ones_comes_first():
    frames = {
        i: [seen("person", 0.8, 10, side=20), seen("person", 0.8, 200, side=120)] for i in range(4)
    }
    first, _ = link(frames)
    assert first.best[1].box.width == 120


def test_equals_count_from_left_to_right():
    frames = {i: [seen("person", 0.8, 200), seen("person", 0.8, 10)] for i in range(4)}
    assert [s.best[1].box.x0 for s in link(frames)] == [10, 200]


def test_far_apart_is_not_the_same_object():
    frames = {0: [seen("dog", 0.9, 0)], 5: [seen("dog", 0.9, 900)]}
    assert len(link(frames | {10: []})) == 2


def test_nothing_seen_gives_nothing():
    assert link({0: [], 1: []}) == []


def test_two_that_cross_keep_their_identities():
    """One goes right, one left; they meet in the middle, where only one box is seen."""
    frames = {
        4 * i: [seen("person", 0.9, 20 + 20 * i), seen("person", 0.8, 320 - 20 * i)]
        for i in range(16)
    }
    for frame in (28, 32):
        frames[frame] = frames[frame][:1]
    right, left = link(frames)
    assert {d.score for d in right.seen.values()} == {0.9}
    assert {d.score for d in left.seen.values()} == {0.8}


def test_colours_tell_apart_what_place_cannot():
    red, blue = np.eye(2, dtype=np.float32)
    frames = {0: [seen("person", 0.9, 0), seen("person", 0.8, 60)]}
    frames[9] = [seen("person", 0.8, 20), seen("person", 0.9, 40)]
    first, _ = link(frames, {0: [red, blue], 9: [blue, red]})
    assert [d.score for d in first.seen.values()] == [0.9, 0.9]


def test_key_frames_are_spread_and_clear():
    frames = {i: [seen("dog", 0.5 + 0.01 * (i % 10), 2 * i)] for i in range(40)}
    frames[19] = [seen("dog", 0.99, 38, side=10)]  # clear, but only a part of it
    (dog,) = link(frames)
    assert dog.spread(4) == [9, 18, 29, 39]


def test_key_frames_are_those_in_which_nobody_else_is_near():
    person = Sighting("person", {i: seen("person", 0.8, 2 * i) for i in range(0, 100, 10)})
    passing = Sighting("person", {i: seen("person", 0.9, 160 - 2 * i) for i in (30, 40, 50)})
    assert person.spread(10, [passing]) == [i for i in range(0, 100, 10) if i != 40]
    beside = Sighting("person", {i: seen("person", 0.8, 2 * i + 9) for i in range(0, 100, 10)})
    assert person.spread(10, [beside]) == [*range(0, 100, 10)]


def test_key_frames_of_a_rider_are_not_those_in_which_the_bicycle_is_missed():
    rider = Sighting("person", {i: seen("person", 0.8, 2 * i) for i in range(0, 100, 10)})
    bicycle = Sighting("bicycle", {i: seen("bicycle", 0.8, 2 * i + 5) for i in range(0, 80, 10)})
    assert rider.spread(10, [bicycle]) == [*range(0, 100, 10)]
