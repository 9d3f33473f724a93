"""What goes wrong is told, without a page."""

from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest

from vidstyle.errors import UsageError
from vidstyle.ui.reporting import buttons, reported
from vidstyle.ui.running import Runner, Watched
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


def test_a_bug_is_called_one_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A visitor is told nothing of the machine."""
    trouble, _ = plainly(Path("/no/such").read_bytes, 1)()
    assert "This is a bug" in trouble
    assert "log" in trouble
    assert "/no/such" not in trouble
    assert "FileNotFoundError" in caplog.text


def test_a_run_that_meets_a_bug_leaves_no_bar_and_no_cancel() -> None:
    def work(_: Watched) -> int:
        return 1 // 0

    *_, reset, told = plainly(
        lambda: (yield from reported(Runner().run(work), lambda _: (), 0)), 5
    )()
    assert reset[:2] == ("", "")
    assert reset[2:] == buttons(running=False)
    assert "This is a bug" in told[0]
