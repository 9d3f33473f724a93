"""Threads per operation of PyTorch and OpenCV: one limit for the whole process.

Both keep that number per process, and restoring a previous value would undo what others have
requested meanwhile. So requests are counted here, and the value is restored when the last one ends.
PyTorch also keeps it per thread, from the first operation there: give a long-lived thread its work
by :func:`submit`.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import ParamSpec, TypeVar

import cv2
import torch

P = ParamSpec("P")
R = TypeVar("R")


class _Limiter:
    """The limits requested at the moment; the lowest applies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: list[int] = []
        self._usual = 0, 0

    def ask(self, count: int) -> None:
        with self._lock:
            if not self._asked:
                self._usual = _of_process(), cv2.getNumThreads()
            self._asked.append(count)
            self._set()

    def forgo(self, count: int) -> None:
        with self._lock:
            self._asked.remove(count)
            self._set()

    def usual(self) -> int:
        """PyTorch's own number, as without requests."""
        with self._lock:
            return self._usual[0] if self._asked else _of_process()

    def follow(self) -> None:
        with self._lock:
            if self._asked and torch.get_num_threads() != min(self._asked):
                torch.set_num_threads(min(self._asked))

    def _set(self) -> None:
        fewest = min(self._asked, default=0)
        torch.set_num_threads(fewest or self._usual[0])
        cv2.setNumThreads(fewest or self._usual[1])


def _of_process() -> int:
    """Ask in a fresh thread: the others have numbers of their own."""
    with ThreadPoolExecutor(1) as fresh:
        return fresh.submit(torch.get_num_threads).result()


_limiter = _Limiter()


@contextmanager
def threads_an_operation(count: int) -> Iterator[None]:
    """Within the block, operations of PyTorch and OpenCV use at most ``count`` threads each, in the
    whole process; the lowest of several limits applies."""
    _limiter.ask(count)
    try:
        yield
    finally:
        _limiter.forgo(count)


def threads_at_hand() -> int:
    """Threads that this process should keep busy: PyTorch's default per operation, which
    ``OMP_NUM_THREADS`` sets, regardless of current limits."""
    return _limiter.usual()


def submit(
    pool: Executor, work: Callable[P, R], *arguments: P.args, **named: P.kwargs
) -> Future[R]:
    """Submit work to a pool. It runs in the caller's context, with the limit of threads per
    operation at the time it begins, even on a thread that has worked before."""
    context = copy_context()

    def run() -> R:
        _limiter.follow()
        return context.run(work, *arguments, **named)

    return pool.submit(run)
