"""A film on a simulated farm."""

from dataclasses import replace

import pytest
import simulate_farm
from simulate_farm import Constants, simulate

LENGTHS = [100, 300, 20]
FREE = Constants(
    start=1.0, analyse=0.5, render=2.0, join=0.1, source=3e6, segment=6e6, matte=1e5, network=1e15
)


def test_one_worker_takes_what_all_tasks_take() -> None:
    found = simulate(LENGTHS, workers=1, chunk=1, failures=0.0, constants=FREE)
    tasks = sum(2 + -(-frames // 64) for frames in LENGTHS)
    assert found.runs == tasks
    assert found.seconds == pytest.approx(tasks * 1.0 + sum(LENGTHS) * 2.6)
    assert found.seconds == pytest.approx(found.busy)


def test_steps_of_a_shot_wait_for_each_other() -> None:
    found = simulate([64], workers=50, chunk=1, failures=0.0, constants=FREE)
    assert found.seconds == pytest.approx(3 * 1.0 + 64 * 2.6)


def test_everything_is_moved_once_and_segments_twice() -> None:
    found = simulate(LENGTHS, workers=3, chunk=4, failures=0.0, constants=FREE)
    each = 2 * FREE.source + 2 * FREE.matte + 2 * FREE.segment + FREE.source
    assert found.moved == pytest.approx(sum(LENGTHS) * each)
    assert found.folders == pytest.approx(0)
    assert found.most <= sum(LENGTHS) * (FREE.segment + FREE.matte)


def test_a_slow_network_is_what_all_wait_for() -> None:
    slow = replace(FREE, network=1e6)
    found = simulate(LENGTHS, workers=50, chunk=1, failures=0.0, constants=slow)
    assert found.seconds == pytest.approx(found.moved / 1e6, rel=0.05)


def test_what_fails_is_run_again() -> None:
    found = simulate(LENGTHS, workers=2, chunk=1, failures=0.3, constants=FREE, seed=1)
    whole = simulate(LENGTHS, workers=2, chunk=1, failures=0.0, constants=FREE)
    assert found.failed
    assert found.runs == whole.runs + found.failed
    assert found.seconds > whole.seconds
    assert not found.lost


def test_a_film_has_its_frames() -> None:
    lengths = simulate_farm.shot_lengths(1500, 160_000)
    assert len(lengths) == 1500
    assert sum(lengths) == pytest.approx(160_000, rel=0.01)
