"""How many threads an operation of PyTorch's or OpenCV's takes: one count for the whole process.

Both keep that number in the process, and whoever sets it back to what it found would undo what
others have asked for meanwhile. So it is asked for here, counted, and set back when the last of
them is done. PyTorch keeps it in each thread as well, from the first operation there: a thread that
lasts is given its work by :func:`submit`.
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
    """The counts that are asked for at this moment; the least holds."""

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
        """PyTorch's, unless fewer are asked for."""
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
    """A thread that has done nothing yet is asked: the others have numbers of their own."""
    with ThreadPoolExecutor(1) as fresh:
        return fresh.submit(torch.get_num_threads).result()


_limiter = _Limiter()


@contextmanager
def threads_an_operation(count: int) -> Iterator[None]:
    """Within, PyTorch's and OpenCV's operations have at most so many threads each, in the whole
    process; of several at once, the fewest."""
    _limiter.ask(count)
    try:
        yield
    finally:
        _limiter.forgo(count)


def threads_at_hand() -> int:
    """Threads that this process is meant to keep busy: what PyTorch's operations have by
    themselves, which ``OMP_NUM_THREADS`` sets, whoever asks for fewer at this moment."""
    return _limiter.usual()


def submit(
    pool: Executor, work: Callable[P, R], *arguments: P.args, **named: P.kwargs
) -> Future[R]:
    """Give work to a pool. It is done in the context of who asks, with as many threads an
    operation as are asked for when it begins, even by a thread that has worked before."""
    context = copy_context()

    def run() -> R:
        _limiter.follow()
        return context.run(work, *arguments, **named)

    return pool.submit(run)
