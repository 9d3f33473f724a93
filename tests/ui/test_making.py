"""What is made on the page, without a page."""

from dataclasses import replace

import numpy as np
import pytest

from vidstyle.ui.history import History
from vidstyle.ui.making import _wipe, render
from vidstyle.ui.selection import Selection
from vidstyle.ui.table import Table


@pytest.mark.parametrize(
    ("columns", "position"), [((50, 80), 16), ((10, 60), 8), ((0, 100), 2), ((0, 0), 16)]
)
def test_a_preview_begins_with_the_object_on_the_side_of_the_result(columns, position) -> None:
    matte = np.zeros((40, 100), np.uint8)
    matte[10:, slice(*columns)] = 255
    assert _wipe(matte) == position


def test_a_range_in_which_nothing_was_pointed_at_is_refused(desk, options, style_picture) -> None:
    table = Table(desk, [style_picture], History(1 << 30), style_picture)
    table.object = Selection("click").clicked(40, 50, 3)
    with pytest.raises(ValueError, match="frame 3, which is outside frames 8-12"):
        list(render(table, 3, None, replace(options, first=8, last=12)))
