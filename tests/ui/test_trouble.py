"""What goes wrong is told, without a page."""

from collections.abc import Iterator

import gradio as gr
import pytest

from vidstyle.errors import UsageError
from vidstyle.ui.trouble import plainly


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
