"""Making things ready in another thread while those before them are used."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import Final, TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")

#: Threads of :func:`done_ahead`. Each holds a frame or more, and who uses what they make is seldom
#: four times as fast.
MOST_HANDS = 4

_END: Final = object()


def read_ahead(items: Iterable[T], depth: int) -> Generator[T, None, None]:
    """The same items, up to ``depth`` of them made ready in another thread.

    What the other thread raises is raised here, after the items before it. Closing the generator
    early, or an exception in its consumer, waits for the item in the making, makes no more, and
    closes ``items`` where that is a generator.
    """
    iterator = iter(items)
    ready: deque[Future[object]] = deque()
    pool = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")

    def make() -> object:
        return next(iterator, _END)

    try:
        for _ in range(depth):
            ready.append(pool.submit(copy_context().run, make))
        while (item := ready.popleft().result()) is not _END:
            ready.append(pool.submit(copy_context().run, make))
            yield item  # type: ignore[misc]  # next() returns a T or the mark
    finally:
        pool.shutdown(cancel_futures=True)
        if isinstance(iterator, Generator):
            iterator.close()


def most_hands() -> int:
    """As many as PyTorch has threads for an operation, up to ``MOST_HANDS``."""
    return min(torch.get_num_threads(), MOST_HANDS)


def done_ahead(
    work: Callable[[T], R], items: Iterable[T], hands: int | None = None, spare: int = 1
) -> Generator[R]:
    """``work`` done to each item in other threads, while results before it are used. In order.

    Items are taken in yet another thread, each when there is room for it. What ``items`` or
    ``work`` raises is raised here, after the results before it. Closing the generator early, or an
    exception in its consumer, waits for what is in the making, and closes ``items`` where that is a
    generator.

    Args:
        hands: how many items are in work at a time; :func:`most_hands` when left out.
        spare: how many more results may be made or wait; none where each should be as fresh as can
            be.
    """
    # Counted now: who uses the results may leave PyTorch one thread.
    return _done_ahead(work, items, hands or most_hands(), spare)


def _done_ahead(work: Callable[[T], R], items: Iterable[T], hands: int, spare: int) -> Generator[R]:
    iterator, stopped = iter(items), threading.Event()
    room = threading.Semaphore(hands + spare)
    begun = SimpleQueue[Future[R] | None]()

    def begin() -> None:
        try:
            while room.acquire() and not stopped.is_set():
                item = next(iterator, _END)
                if item is _END:
                    break
                task = partial(work, item)  # type: ignore[arg-type]  # a T or the mark
                begun.put(pool.submit(copy_context().run, task))
        except BaseException as error:  # raised where the results are used
            failed = Future[R]()
            failed.set_exception(error)
            begun.put(failed)
        finally:
            if isinstance(iterator, Generator):
                iterator.close()
            begun.put(None)

    pool = ThreadPoolExecutor(hands, thread_name_prefix="ahead")
    feeder = ThreadPoolExecutor(1, thread_name_prefix="feeder")
    feeder.submit(copy_context().run, begin)
    try:
        while (future := begun.get()) is not None:
            result = future.result()
            room.release()
            yield result
    finally:
        stopped.set()
        room.release()
        feeder.shutdown()
        pool.shutdown(cancel_futures=True)
