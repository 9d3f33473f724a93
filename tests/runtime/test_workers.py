"""Many count: the same results in the same order, few items at a time, and an end in every case."""

import threading
import time
from collections.abc import Iterator

import pytest
import torch

from vidstyle.runtime.log_context import at, here
from vidstyle.runtime.workers import Stopped, WorkerPool


@pytest.fixture(params=[None, 1, 3], ids=["device", "one hand", "three count"])
def workers(request: pytest.FixtureRequest) -> Iterator[WorkerPool]:
    before = set(threading.enumerate())
    with WorkerPool(request.param) as workers:
        yield workers
    assert set(threading.enumerate()) <= before


def slow_first(item: int) -> int:
    time.sleep(0.02 * (item == 0))
    return item * item


def test_results_keep_the_order_of_the_items(workers: WorkerPool) -> None:
    assert workers.each(slow_first, range(7)) == [item * item for item in range(7)]
    assert workers.each(slow_first, []) == []


def test_what_one_item_raises_is_raised(workers: WorkerPool) -> None:
    def divide(item: int) -> float:
        return 1 / (item - 2)

    with pytest.raises(ZeroDivisionError):
        workers.each(divide, range(5))
    assert workers.each(slow_first, range(2)) == [0, 1]


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

    with WorkerPool(3) as workers:
        workers.each(work, items(), at_once)
    assert sorted(done) == asked == list(range(8))


def test_the_hands_know_where_the_work_is(workers: WorkerPool) -> None:
    with at(shot=4, stage="style"):
        told = workers.each(lambda _: dict(here()), range(3))
    assert told == [{"shot": 4, "stage": "style"}] * 3


def test_work_that_is_called_off_ends(workers: WorkerPool) -> None:
    begun = []

    def work(item: int) -> None:
        begun.append(item)
        if item == 1:
            workers.stop()

    with pytest.raises(Stopped):
        workers.each(work, range(100))
    assert len(begun) < 10
    with pytest.raises(Stopped):
        workers.each(slow_first, range(3))


def test_a_workers_that_was_stopped_can_work_again() -> None:
    workers = WorkerPool(2)
    with workers:
        workers.stop()
    with workers:
        assert workers.each(slow_first, range(3)) == [0, 1, 4]


def test_a_workers_entered_within_itself_works_until_the_outermost_ends() -> None:
    before = set(threading.enumerate())
    with WorkerPool(2) as workers:
        at_work = set(threading.enumerate())
        with workers:
            pass
        workers.each(slow_first, range(4))
        names = {thread.name.split("_")[0] for thread in set(threading.enumerate()) - at_work}
        assert names == {"workers"}
    assert set(threading.enumerate()) <= before


def test_a_batch_is_shared_out_one_by_one_but_left_whole_for_a_device() -> None:
    part = slice(2, 5)
    assert WorkerPool(4).shares(part) == [slice(2, 3), slice(3, 4), slice(4, 5)]
    assert WorkerPool(1).shares(part) == WorkerPool(4).shares(part)  # the same bits on any machine
    assert WorkerPool.of(torch.device("cuda")).shares(part) == [part]
