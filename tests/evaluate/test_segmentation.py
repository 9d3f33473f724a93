"""J and F against cases whose values are worked out by hand."""

import numpy as np
import pytest

from vidstyle.evaluate.segmentation import boundary, contour_accuracy, region_similarity

SIZE = (100, 100)  # its diagonal of 141.4 allows 2 pixels: 0.008 of it, rounded up


def square(x, y, side=40, size=SIZE):
    mask = np.zeros(size, bool)
    mask[y : y + side, x : x + side] = True
    return mask


EMPTY = np.zeros(SIZE, bool)


@pytest.mark.parametrize(
    ("other", "similarity"),
    [
        (square(20, 20), 1.0),
        (square(30, 20), 30 / 50),
        (square(30, 40), 30 * 20 / (2 * 1600 - 30 * 20)),
        (square(20, 20, side=20), 0.25),
        (square(60, 60), 0.0),
        (EMPTY, 0.0),
    ],
)
def test_region_similarity(other, similarity):
    assert region_similarity(square(20, 20), other) == pytest.approx(similarity)
    assert region_similarity(other, square(20, 20)) == pytest.approx(similarity)


def test_the_boundary_lies_left_of_and_above_a_change():
    mask = square(2, 1, side=2, size=(5, 6))
    expected = np.zeros((5, 6), bool)
    expected[0:3, 1:4] = True
    expected[1, 2] = False  # inside, as are its neighbours to the right and below
    assert np.array_equal(boundary(mask), expected)


def test_the_frames_border_is_no_boundary():
    assert not boundary(np.ones(SIZE, bool)).any()
    half = np.zeros(SIZE, bool)
    half[:, :50] = True
    assert np.array_equal(np.unique(np.nonzero(boundary(half))[1]), [49])


@pytest.mark.parametrize(("shift", "accuracy"), [(0, 1.0), (1, 1.0), (2, 1.0)])
def test_boundaries_within_tolerance_match(shift, accuracy):
    assert contour_accuracy(square(20, 20), square(20 + shift, 20)) == accuracy


def test_beyond_tolerance_a_shifted_edge_is_missed():
    # Half planes: one straight boundary each, three pixels apart.
    left, right = np.zeros(SIZE, bool), np.zeros(SIZE, bool)
    left[:, :50] = right[:, :53] = True
    assert contour_accuracy(left, right) == 0.0
    assert contour_accuracy(left, right, tolerance=0.02) == 1.0


def test_precision_and_recall_are_balanced():
    # Two squares of equal outline against one of them: precision 1/2, recall 1.
    one, two = square(10, 10, side=20), square(10, 10, side=20) | square(60, 60, side=20)
    assert contour_accuracy(two, one) == pytest.approx(2 / 3)
    assert contour_accuracy(one, two) == pytest.approx(2 / 3)


def test_the_tolerance_grows_with_the_frame():
    # 854x480: 0.008 of the diagonal of 979.7 is 7.8, so 8 pixels.
    size = (480, 854)
    left, near, far = (np.zeros(size, bool) for _ in range(3))
    left[:, :400] = near[:, :408] = far[:, :409] = True
    assert contour_accuracy(left, near) == 1.0
    assert contour_accuracy(left, far) == 0.0


@pytest.mark.parametrize("measure", [region_similarity, contour_accuracy])
def test_empty_masks(measure):
    assert measure(EMPTY, EMPTY) == 1.0
    assert measure(EMPTY, square(20, 20)) == 0.0
    assert measure(square(20, 20), EMPTY) == 0.0
