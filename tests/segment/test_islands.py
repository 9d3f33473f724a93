"""Specks beside a body."""

import numpy as np

from vidstyle.segment.mattes.islands import without_specks


def body(*parts):
    """A matte of rectangles, each with a soft edge of two pixels: y, x, height and width."""
    matte = np.zeros((100, 100), np.uint8)
    for y, x, height, width in parts:
        matte[y - 2 : y + height + 2, x - 2 : x + width + 2] = 60
        matte[y : y + height, x : x + width] = 255
    return matte


def test_a_speck_goes_with_its_soft_edge():
    whole = body((10, 10, 50, 50))
    assert np.array_equal(without_specks(body((10, 10, 50, 50), (80, 80, 6, 6))), whole)


def test_what_is_divided_by_a_pole_stays():
    matte = body((10, 10, 50, 20), (10, 40, 50, 10))
    assert np.array_equal(without_specks(matte), matte)


def test_a_speck_that_nearly_touches_stays():
    matte = body((10, 10, 50, 50), (62, 20, 4, 4))
    assert np.array_equal(without_specks(matte), matte)


def test_soft_and_empty_mattes_stay():
    faint = np.full((40, 40), 90, np.uint8)
    assert np.array_equal(without_specks(faint), faint)
    assert not without_specks(np.zeros((40, 40), np.uint8)).any()
