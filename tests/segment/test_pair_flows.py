"""Flow between two pictures, estimated once."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from vidstyle.motion.dis import DisFlow
from vidstyle.runtime.array_file import ArrayFile
from vidstyle.segment.tracking.pair_flows import PairFlows, pair_bytes


class Counting:
    """DIS, and how often it was called."""

    name = "counting"

    def __init__(self):
        self.flow, self.calls = DisFlow(480), 0

    def __call__(self, first, second):
        self.calls += 1
        return self.flow(first, second)


@pytest.fixture
def kept(tmp_path):
    """Makes flows that are kept in a file of so many bytes."""
    files = []

    def make(most):
        files.append(ArrayFile(tmp_path, most))
        estimator = Counting()
        return estimator, PairFlows(estimator, files[-1])

    yield make
    for file in files:
        file.close()


def test_a_pair_is_estimated_once_in_whatever_order(photo_clip, kept):
    first, second = photo_clip.images[:2]
    estimator, flows = kept(1 << 24)
    there, back = flows(first, second)
    assert estimator.calls == 2
    again = flows(second.copy(), first.copy())
    assert estimator.calls == 2
    assert np.array_equal(again[0], back)
    assert np.array_equal(again[1], there)
    assert not np.array_equal(there, back)


def test_flows_are_rounded_by_a_thousandth_of_their_length(photo_clip, kept):
    first, second = photo_clip.images[:2]
    exact, rounded = PairFlows()(first, second), kept(1 << 24)[1](first, second)
    for one, other in zip(exact, rounded, strict=True):
        assert np.allclose(one, other, rtol=1e-3, atol=1e-4)


def test_what_finds_no_room_is_the_same(photo_clip, kept):
    """One pair fits, and the others are estimated each time."""
    size = photo_clip.size
    estimator, flows = kept(pair_bytes(size))
    _, unbounded = kept(1 << 24)
    for _ in range(2):
        for pair in pairwise(photo_clip.images[:3]):
            assert np.array_equal(flows(*pair), unbounded(*pair))
    assert estimator.calls == 2 * 3


def test_threads_get_their_own_pairs(photo_clip, kept):
    pairs = list(pairwise(photo_clip.images[:8]))
    _, flows = kept(1 << 26)
    alone = [flows(*pair) for pair in pairs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda pair: flows(*pair), pairs * 3))
    assert all(np.array_equal(a, b) for a, b in zip(together, alone * 3, strict=True))
