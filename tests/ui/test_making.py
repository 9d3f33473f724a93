"""What is made on the page, without a page."""

import numpy as np
import pytest

from vidstyle.ui.making import _wipe


@pytest.mark.parametrize(
    ("columns", "position"), [((50, 80), 16), ((10, 60), 8), ((0, 100), 2), ((0, 0), 16)]
)
def test_a_preview_begins_with_the_object_on_the_side_of_the_result(columns, position) -> None:
    matte = np.zeros((40, 100), np.uint8)
    matte[10:, slice(*columns)] = 255
    assert _wipe(matte) == position
