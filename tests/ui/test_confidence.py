"""The strip of confidences."""

import numpy as np

from vidstyle.ui.confidence import STRIP, Confidences


def test_the_least_sure_object_counts() -> None:
    assert Confidences.of(0, [(0.9, 0.5), (0.4, 0.8)]).frames == (0.4, 0.5)


def test_bars_are_as_high_as_they_are_sure_and_doubt_has_a_colour() -> None:
    strip = Confidences(0, (1.0, 0.5, 0.0)).drawn()
    assert strip.shape == (*STRIP, 3)
    sure, doubtful, lost = (strip[:, STRIP[1] * part // 6] for part in (1, 3, 5))
    ground = strip[0, -1]
    heights = [int((bar != ground).any(axis=1).sum()) for bar in (sure, doubtful, lost)]
    assert heights[0] == STRIP[0]
    assert abs(heights[1] - STRIP[0] / 2) <= 1
    assert 0 < heights[2] < 4
    assert (doubtful[-1] == lost[-1]).all()
    assert (sure[-1] != doubtful[-1]).any()


def test_a_click_is_on_the_frame_that_is_drawn_there() -> None:
    sure = np.linspace(0, 1, 7)
    confidences = Confidences(100, tuple(sure))
    assert [confidences.frame_at(x) for x in (-5, 0, STRIP[1] // 2, STRIP[1] - 1, 5000)] == [
        *(100, 100, 103, 106, 106)
    ]
