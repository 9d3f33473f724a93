"""The strip of mattes: a tile a frame."""

import matte_strip
import numpy as np


def test_tiles_fill_rows_and_the_last_ends_in_black():
    tiles = [np.full((2, 3, 3), value, np.uint8) for value in (1, 2, 3)]
    rows = matte_strip.sheet(tiles, columns=2)
    assert rows.shape == (4, 6, 3)
    assert [rows[y, x, 0] for y in (0, 2) for x in (0, 3)] == [1, 2, 3, 0]
