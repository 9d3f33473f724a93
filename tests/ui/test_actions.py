"""What the page's buttons do, without a page."""

from collections.abc import Iterator

import gradio as gr
import numpy as np
import pytest

from vidstyle.errors import UsageError
from vidstyle.ui.actions import _wipe, plainly, ready
from vidstyle.ui.desk import Desk
from vidstyle.ui.selection import Selection
from vidstyle.ui.table import Table


def test_trouble_comes_first_and_leaves_the_rest_as_it_is() -> None:
    def divide(number: int) -> tuple[int, int]:
        if number == 0:
            raise UsageError("--by 0: give <another> number")
        return 12 // number, 12 % number

    told = plainly(divide, 2)
    assert told(5) == ("", 2, 2)
    trouble, *rest = told(0)
    assert "--by 0: give &lt;another&gt; number" in trouble
    assert rest == [gr.skip(), gr.skip()]


def test_an_action_that_goes_on_says_its_trouble_at_the_end() -> None:
    def count(until: int) -> Iterator[int]:
        yield from range(until)
        raise ValueError("too far")

    *steps, (trouble, rest) = plainly(count, 1)(2)
    assert steps == [("", 0), ("", 1)]
    assert "Too far" in trouble
    assert rest == gr.skip()


def test_other_errors_are_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        plainly(lambda: 1 // 0, 1)()


def test_what_is_missing_comes_in_the_order_of_the_page(shot, style_picture) -> None:
    table = Table(None, [style_picture])
    hints = [ready(table)[0]]
    table.desk = Desk(shot.clip, most_frames=100, most_pixels=1 << 24)
    hints.append(ready(table)[0])
    table.style = style_picture
    hints.append(ready(table)[0])
    table.object = Selection("box")
    hints.append(ready(table)[0])
    table.object = Selection("brush")
    hints.append(ready(table)[0])
    table.clear()
    assert hints == [
        "Next: upload a clip.",
        "Next: choose a style picture.",
        "Ready.",
        "Next: click on two opposite corners of a box around the object.",
        "Ready.",
    ]


@pytest.mark.parametrize(
    ("columns", "position"), [((50, 80), 16), ((10, 60), 8), ((0, 100), 2), ((0, 0), 16)]
)
def test_a_preview_begins_with_the_object_on_the_side_of_the_result(columns, position) -> None:
    matte = np.zeros((40, 100), np.uint8)
    matte[10:, slice(*columns)] = 255
    assert _wipe(matte) == position
