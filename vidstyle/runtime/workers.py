"""Pictures in parallel, each on one thread.

The operations on a frame take milliseconds. Spread over threads, each waits for the slowest of
them, and the threads of OpenMP, NNPACK and OpenCV compete. A shot has plenty of pictures, which are
processed independently: one thread per picture keeps every core busy, and the result does not
depend on the number of threads.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from types import TracebackType
from typing import Self, TypeVar

import torch

from vidstyle.runtime.threads import submit, threads_an_operation, threads_at_hand

T = TypeVar("T")
R = TypeVar("R")


class Stopped(Exception):  # noqa: N818  # ends a thread whose work is not needed any more
    """The work was cancelled."""


class WorkerPool:
    """Threads for the duration of a ``with``; outside it, and with one thread, the calling thread
    does the work.

    Within it, operations of PyTorch and OpenCV use one thread each, in the whole process. It is
    reentrant, from any thread; only the outermost ``with`` counts.

    Args:
        count: number of threads; None for a device that one thread feeds with many pictures at
            once.
    """

    def __init__(self, count: int | None = None) -> None:
        self._count = count
        self._pool: ThreadPoolExecutor | None = None
        self._urgent: ThreadPoolExecutor | None = None
        self._within = ExitStack()
        self._depth, self._entering = 0, threading.Lock()
        self._stopped = False

    @classmethod
    def of(cls, device: torch.device) -> Self:
        """For the CPU, as many threads as are available."""
        return cls(threads_at_hand() if device.type == "cpu" else None)

    def __enter__(self) -> Self:
        with self._entering:
            self._depth += 1
            if self._depth == 1 and self._count is not None:
                self._within.enter_context(threads_an_operation(1))
                if self._count > 1:
                    self._pool, self._urgent = (self._threads(n) for n in ("workers", "urgent"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._entering:
            self._depth -= 1
            if self._depth == 0:
                self._stopped, self._pool, self._urgent = False, None, None
                self._within.close()

    def _threads(self, name: str) -> ThreadPoolExecutor:
        pool = ThreadPoolExecutor(self._count, thread_name_prefix=name)
        self._within.callback(pool.shutdown, cancel_futures=True)
        return pool

    def stop(self) -> None:
        """Cancel the work of other threads: each of them raises :class:`Stopped`, at the latest
        when the pictures in progress are done."""
        self._stopped = True

    def shares(self, part: slice) -> list[slice]:
        """The pictures ``part`` of a batch, one by one; all at once if the device has threads of
        its own."""
        if self._count is None:
            return [part]
        return [slice(index, index + 1) for index in range(part.start, part.stop)]

    def each(
        self,
        work: Callable[[T], R],
        items: Iterable[T],
        at_once: int | None = None,
        urgent: bool = False,
    ) -> list[R]:
        """Results of ``work`` on every item, in order.

        Items are fetched as threads become free. Errors of ``work`` are raised here.

        Args:
            at_once: most items in progress at a time, if memory limits it.
            urgent: use separate threads, which are never busy with a picture.

        Raises:
            Stopped: see :meth:`stop`.
        """
        done: list[R] = []
        pool = self._urgent if urgent else self._pool
        if pool is None or self._count is None:
            for item in items:
                self._go_on()
                done.append(work(item))
            return done
        waiting: deque[Future[R]] = deque()
        most = min(self._count, at_once or self._count)
        try:
            for item in items:
                self._go_on()
                if len(waiting) == most:
                    done.append(waiting.popleft().result())
                waiting.append(submit(pool, work, item))
            while waiting:
                done.append(waiting.popleft().result())
        finally:
            for future in waiting:
                future.cancel()
        return done

    def _go_on(self) -> None:
        if self._stopped:
            raise Stopped
