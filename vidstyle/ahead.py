"""Making things ready in another thread while those before them are used."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
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


def done_ahead(work: Callable[[T], R], items: Iterable[T]) -> Generator[R]:
    """``work`` done to each item, in order, in other threads, while results before it are used: in
    as many as PyTorch has for an operation, up to ``MOST_HANDS``.

    Items are taken in the consumer's thread. What ``work`` raises is raised here, after the results
    before it. Closing the generator early, or an exception in its consumer, waits for what is in
    work, and closes ``items`` where that is a generator.
    """
    # Counted now: who uses the results may leave PyTorch one thread.
    return _done_ahead(work, items, min(torch.get_num_threads(), MOST_HANDS))


def _done_ahead(work: Callable[[T], R], items: Iterable[T], hands: int) -> Generator[R]:
    iterator = iter(items)
    waiting: deque[Future[R]] = deque()
    pool = ThreadPoolExecutor(hands, thread_name_prefix="ahead")
    try:
        for item in iterator:
            waiting.append(pool.submit(copy_context().run, work, item))
            if len(waiting) > hands:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        if isinstance(iterator, Generator):
            iterator.close()
