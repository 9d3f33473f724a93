"""Threads of an operation: asked for by several at once, and given back."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import cv2
import pytest
import torch

from vidstyle.runtime.threads import submit, threads_an_operation, threads_at_hand
from vidstyle.runtime.workers import WorkerPool

Counts = tuple[int, int]


def counts() -> Counts:
    """PyTorch's in this thread, and OpenCV's."""
    return torch.get_num_threads(), cv2.getNumThreads()


@pytest.fixture(autouse=True)
def three() -> Iterator[None]:
    """The process has three of each."""
    before = counts()
    torch.set_num_threads(3)
    cv2.setNumThreads(3)
    yield
    torch.set_num_threads(before[0])
    cv2.setNumThreads(before[1])


@pytest.fixture
def lasting() -> Iterator[ThreadPoolExecutor]:
    """A thread that has worked before."""
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(counts).result() == (3, 3)
        yield pool


@pytest.mark.parametrize("hands", [1, 2])
def test_an_operation_has_one_thread_within_a_workers(hands: int) -> None:
    with WorkerPool(hands) as workers:
        assert workers.each(lambda _: counts(), range(2)) == [(1, 1)] * 2
        assert counts() == (1, 1)
    assert counts() == (3, 3)


def test_of_those_who_overlap_the_last_gives_back_what_the_first_found() -> None:
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(threads_an_operation(2))
        second.enter_context(threads_an_operation(1))
        assert counts() == (1, 1)
        first.close()
        assert counts() == (1, 1)
    assert counts() == (3, 3)


def test_a_thread_that_lasts_follows(lasting: ThreadPoolExecutor) -> None:
    with threads_an_operation(1):
        assert submit(lasting, counts).result() == (1, 1)


def test_leaving_elsewhere_gives_back_to_the_process(lasting: ThreadPoolExecutor) -> None:
    """As requests of a page do, which come in any thread."""
    with ExitStack() as mine, ExitStack() as other:
        lasting.submit(mine.enter_context, threads_an_operation(1)).result()
        other.enter_context(threads_an_operation(1))
        lasting.submit(mine.close).result()
    assert threads_at_hand() == 3
    assert counts() == (3, 3)


def test_who_comes_while_others_work_is_told_of_all_threads() -> None:
    with threads_an_operation(1):
        assert threads_at_hand() == 3
    torch.set_num_threads(2)
    assert threads_at_hand() == 2


def test_opencv_keeps_to_the_variable_of_the_others() -> None:
    said = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import sys, atexit; sys.argv = ['vidstyle', '--version']\n"
            "def tell():\n import cv2; print(cv2.getNumThreads())\n"
            "atexit.register(tell)\n"
            "from vidstyle.cli import main; main()",
        ],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.splitlines()[-1] == "1"
