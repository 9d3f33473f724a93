"""Pictures side by side, each on one thread.

The operations of a frame take milliseconds. Spread over threads, each waits for the slowest of
them, and OpenMP's, NNPACK's and OpenCV's threads stand in each other's way. What a shot has plenty
of is pictures, and what is done to one does not depend on the others: one thread takes one picture,
which keeps every core at work, and the result does not depend on how many there are.
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
    """The work is called off."""


class WorkerPool:
    """Threads for the time of a ``with``; outside of it, and with one thread, work is done by the
    thread that asks.

    Within, PyTorch's and OpenCV's operations have one thread each, in the whole process. It can be
    entered within itself, from any thread; the outermost ``with`` is the one that counts.

    Args:
        count: how many threads work; None for a device that is fed by one thread and takes many
            pictures at once.
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
        """For the CPU, as many threads as are at hand."""
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
        """Call off what other threads ask for: each of them ends with :class:`Stopped`, at the
        latest when the pictures in the making are done."""
        self._stopped = True

    def shares(self, part: slice) -> list[slice]:
        """Some pictures of a batch, ``part`` of it, one by one; all at once where the device has
        threads of its own."""
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
        """``work`` done to every item; what it came to, in order.

        Items are asked for as threads become free. What ``work`` raises is raised here.

        Args:
            at_once: most items in progress at a time, where memory bounds it.
            urgent: done by threads of their own, which are busy with no picture.

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
