"""Preparing items in another thread while earlier ones are used.

These are context managers, not bare generators: a generator left suspended, as by an error in its
consumer, would keep its threads waiting, and the process with them. A function that passes on their
items must be a context manager as well.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import Final, TypeVar

from vidstyle.runtime.threads import submit, threads_at_hand

T = TypeVar("T")
R = TypeVar("R")

#: Threads of :func:`done_ahead`. Each holds a frame or more, and consumers are seldom four times as
#: fast.
MOST_HANDS = 4

#: Seconds between checks whether an awaited item is still wanted.
_WAKE: Final = 0.2

_END: Final = object()


@contextmanager
def read_ahead(
    items: Iterable[T], depth: int, go_on: Callable[[], None] | None = None
) -> Iterator[Iterator[T]]:
    """The same items, up to ``depth`` of them prepared in another thread.

    They are valid only within the ``with``: on any exit, the item in progress is awaited, no more
    are produced, and ``items`` is closed if it is a generator. Errors of the other thread are
    raised in the consumer, after the items before them.

    Args:
        go_on: called periodically while waiting for an item; may raise.
    """
    iterator = iter(items)
    pool = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")

    def make() -> object:
        return next(iterator, _END)

    def begin() -> Future[object]:
        return submit(pool, make)

    def made() -> Iterator[T]:
        ready = deque(begin() for _ in range(depth))
        while (item := _waited_for(ready.popleft(), go_on)) is not _END:
            ready.append(begin())
            yield item  # type: ignore[misc]  # next() returns a T or the mark

    try:
        yield made()
    finally:
        pool.shutdown(cancel_futures=True)
        if isinstance(iterator, Generator):
            iterator.close()


def _waited_for(future: Future[R], go_on: Callable[[], None] | None) -> R:
    while go_on is not None and not wait((future,), _WAKE).done:
        go_on()
    return future.result()


def most_hands() -> int:
    """The number of threads available, up to ``MOST_HANDS``."""
    return min(threads_at_hand(), MOST_HANDS)


@contextmanager
def done_ahead(
    work: Callable[[T], R], items: Iterable[T], hands: int | None = None, spare: int = 1
) -> Iterator[Iterator[R]]:
    """Results of ``work`` on each item, in order, from other threads while earlier ones are used.

    Items are fetched in yet another thread, as room allows. The results are valid only within the
    ``with``: on any exit, work in progress is awaited, and ``items`` is closed if it is a
    generator. Errors of ``items`` or ``work`` are raised in the consumer, after the results before
    them.

    Args:
        hands: how many items are in progress at a time; :func:`most_hands` by default.
        spare: how many more results may be in progress or waiting; 0 keeps each as fresh as
            possible.
    """
    hands = hands or most_hands()
    iterator, stopped = iter(items), threading.Event()
    room = threading.Semaphore(hands + spare)
    begun = SimpleQueue[Future[R] | None]()
    pool = ThreadPoolExecutor(hands, thread_name_prefix="ahead")

    def feed() -> None:
        try:
            while room.acquire() and not stopped.is_set():
                item = next(iterator, _END)
                if item is _END:
                    break
                task = partial(work, item)  # type: ignore[arg-type]  # a T or the mark
                begun.put(submit(pool, task))
        except BaseException as error:  # raised where the results are used
            failed = Future[R]()
            failed.set_exception(error)
            begun.put(failed)
        finally:
            if isinstance(iterator, Generator):
                iterator.close()
            begun.put(None)

    def made() -> Iterator[R]:
        while (future := begun.get()) is not None:
            result = future.result()
            room.release()
            yield result

    # If a signal strikes before the threads are stopped, process exit must not wait for this one.
    feeder = threading.Thread(target=copy_context().run, args=(feed,), name="feeder", daemon=True)
    feeder.start()
    try:
        yield made()
    finally:
        stopped.set()
        room.release()
        feeder.join()
        pool.shutdown(cancel_futures=True)
