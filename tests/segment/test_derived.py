"""Mattes made from other mattes."""

import numpy as np
import pytest

from vidstyle.media.frame import Box
from vidstyle.segment.mattes.derived import Excluded, Inverted, WholeFrame
from vidstyle.segment.mattes.store import MatteStore

SIZE = (40, 60)


@pytest.fixture
def square(tmp_path):
    """Frame 0: a square with a soft left column; frame 1: nothing."""
    store = MatteStore(tmp_path / "square", SIZE, 2)
    store[0] = np.zeros(SIZE, np.uint8)
    matte = store[0]
    matte[10:20, 10:20] = 255
    matte[10:20, 10] = 100
    store[0] = matte
    return store


def test_all_but_the_object(square):
    inverted = Inverted(square)
    assert np.array_equal(inverted[0], 255 - square[0])
    assert inverted.box(1) == Box(0, 0, 60, 40)


def test_soft_edges_of_the_excluded_stay_soft(square):
    excluded = Excluded(WholeFrame(SIZE, 2), [square])
    assert len(excluded) == 2
    assert np.array_equal(excluded[0], 255 - square[0])
    assert excluded[0][12, 10] == 155
    assert excluded.box(0) == excluded.box(1) == Box(0, 0, 60, 40)


def test_an_object_without_several_others(square, tmp_path):
    others = []
    for name, columns in (("left", slice(0, 15)), ("right", slice(18, 60))):
        others.append(MatteStore(tmp_path / name, SIZE, 2))
        matte = np.zeros(SIZE, np.uint8)
        matte[:, columns] = 255
        others[-1][0] = matte
    excluded = Excluded(square, others)
    assert excluded.box(0) == Box(15, 10, 18, 20)
    assert excluded.box(1) is None
    both = Excluded(square, [square])
    assert both.box(0) == Box(10, 10, 11, 20)
    assert both[0][12, 10] == 100  # the lesser of 100 and 155


def test_what_is_excluded_wholly_is_gone(square):
    assert Excluded(square, [WholeFrame(SIZE, 2)]).box(0) is None


def test_derived_mattes_are_as_sure_as_the_least_of_what_they_are_made_of(square, tmp_path):
    square.put(0, square[0], 0.6)
    other = MatteStore(tmp_path / "other", SIZE, 2)
    other.put(0, np.full(SIZE, 255, np.uint8), 0.4)
    assert WholeFrame(SIZE, 2).confidence(0) == 1
    assert Inverted(square).confidence(0) == 0.6
    assert Excluded(square, [other]).confidence(0) == 0.4
    assert Excluded(WholeFrame(SIZE, 2), [square, other]).confidence(1) == 1
