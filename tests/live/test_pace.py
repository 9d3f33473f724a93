"""The size of live pictures, on machines of known speed."""

import pytest

from vidstyle.live.pace import BUDGET, LEAST, STEP, TRIAL, choose_height


def machine(per_pixel: float, fixed: float = 0.0):
    """Seconds for a frame of a height, 16:9."""
    return lambda height: fixed + per_pixel * height * height * 16 / 9


@pytest.mark.parametrize("per_pixel", [2e-8, 1e-7, 5e-7, 1e-6])
@pytest.mark.parametrize("rate", [12, 25, 60])
def test_as_large_as_keeps_up(per_pixel: float, rate: float) -> None:
    seconds = machine(per_pixel)
    height = choose_height(seconds, rate, 1080)
    assert LEAST <= height <= 1080
    assert height % STEP == 0 or height == 1080
    if height > LEAST:
        assert seconds(height) <= BUDGET / rate
    if height < 1080:
        assert seconds(height + STEP) > BUDGET / rate


def test_what_was_foretold_too_well_is_made_smaller() -> None:
    """Beyond some size the machine is four times as slow, so that the trial misleads."""
    fast, slow = machine(1e-7), machine(4e-7)
    height = choose_height(lambda h: (fast if h <= TRIAL else slow)(h), 25, 1080)
    assert height >= TRIAL
    assert slow(height) <= BUDGET / 25


def test_a_machine_that_never_keeps_up_gets_the_least() -> None:
    assert choose_height(machine(1e-3), 25, 1080) == LEAST


def test_a_source_smaller_than_that_is_shown_as_it_is() -> None:
    assert choose_height(machine(1e-9), 25, 72) == 72
    assert choose_height(machine(1e-3), 25, 72) == 72
