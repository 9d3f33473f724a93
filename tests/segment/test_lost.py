"""Where an object is not seen."""

import numpy as np
import pytest

from vidstyle.segment.mattes.lost import doubtful_ranges, lost_ranges
from vidstyle.segment.mattes.store import MatteStore


@pytest.mark.parametrize(
    ("shown", "ranges"),
    [
        (range(10), []),
        ([], [(0, 5), (6, 9)]),
        ([1, 2, 5, 6, 7, 9], [(0, 0), (3, 4), (8, 8)]),
        ([0, 1, 2, 3, 4, 7, 8], [(5, 5), (6, 6), (9, 9)]),
    ],
)
def test_runs_of_empty_mattes_end_at_cuts(tmp_path, shown, ranges):
    mattes = MatteStore(tmp_path, (8, 8), 10)
    for frame in shown:
        mattes[frame] = np.full((8, 8), 255, np.uint8)
    assert lost_ranges(mattes, [(0, 6), (6, 10)]) == ranges


def test_runs_of_doubtful_mattes_with_few_others_between(tmp_path):
    """Told as one: two good frames amid bad ones are no better news."""
    mattes = MatteStore(tmp_path, (8, 8), 30)
    for frame in range(28):
        sure = 0.3 if frame in (2, 3, 6, 14, 19, 21) else 0.8
        mattes.put(frame, np.full((8, 8), 255, np.uint8), sure)
    assert doubtful_ranges(mattes, [(0, 20), (20, 30)]) == [(2, 6), (14, 19), (21, 21)]
