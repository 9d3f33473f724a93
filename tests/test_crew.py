"""Many hands: the same results in the same order, few items at a time, and an end in every case."""

import threading
import time
from collections.abc import Iterator

import pytest
import torch

from vidstyle.crew import Crew, Stopped
from vidstyle.whereabouts import at, here


@pytest.fixture(params=[None, 1, 3], ids=["device", "one hand", "three hands"])
def crew(request: pytest.FixtureRequest) -> Iterator[Crew]:
    before = set(threading.enumerate())
    with Crew(request.param) as crew:
        yield crew
    assert set(threading.enumerate()) <= before


def slow_first(item: int) -> int:
    time.sleep(0.02 * (item == 0))
    return item * item


def test_results_keep_the_order_of_the_items(crew: Crew) -> None:
    assert crew.each(slow_first, range(7)) == [item * item for item in range(7)]
    assert crew.each(slow_first, []) == []


def test_what_one_item_raises_is_raised(crew: Crew) -> None:
    def divide(item: int) -> float:
        return 1 / (item - 2)

    with pytest.raises(ZeroDivisionError):
        crew.each(divide, range(5))
    assert crew.each(slow_first, range(2)) == [0, 1]


@pytest.mark.parametrize(("at_once", "most"), [(None, 3), (2, 2), (9, 3)])
def test_items_are_asked_for_as_hands_become_free(at_once: int | None, most: int) -> None:
    asked, done = [], []

    def items() -> Iterator[int]:
        for item in range(8):
            asked.append(item)
            assert len(asked) - len(done) <= most + 1
            yield item

    def work(item: int) -> None:
        time.sleep(0.005)
        done.append(item)

    with Crew(3) as crew:
        crew.each(work, items(), at_once)
    assert sorted(done) == asked == list(range(8))


def test_the_hands_know_where_the_work_is(crew: Crew) -> None:
    with at(shot=4, stage="style"):
        told = crew.each(lambda _: dict(here()), range(3))
    assert told == [{"shot": 4, "stage": "style"}] * 3


def test_work_that_is_called_off_ends(crew: Crew) -> None:
    begun = []

    def work(item: int) -> None:
        begun.append(item)
        if item == 1:
            crew.stop()

    with pytest.raises(Stopped):
        crew.each(work, range(100))
    assert len(begun) < 10
    with pytest.raises(Stopped):
        crew.each(slow_first, range(3))


def test_a_crew_that_was_stopped_can_work_again() -> None:
    crew = Crew(2)
    with crew:
        crew.stop()
    with crew:
        assert crew.each(slow_first, range(3)) == [0, 1, 4]


def test_a_crew_entered_within_itself_works_until_the_outermost_ends() -> None:
    before = set(threading.enumerate())
    with Crew(2) as crew:
        at_work = set(threading.enumerate())
        with crew:
            pass
        crew.each(slow_first, range(4))
        names = {thread.name.split("_")[0] for thread in set(threading.enumerate()) - at_work}
        assert names == {"crew"}
    assert set(threading.enumerate()) <= before


def test_a_batch_is_shared_out_one_by_one_but_left_whole_for_a_device() -> None:
    part = slice(2, 5)
    assert Crew(4).shares(part) == [slice(2, 3), slice(3, 4), slice(4, 5)]
    assert Crew(1).shares(part) == Crew(4).shares(part)  # the bits must not hang on the machine
    assert Crew.of(torch.device("cuda")).shares(part) == [part]
