"""Making things ready in another thread while those before them are used.

Each of these is a ``with``, not a bare generator: one that is left suspended, as by an error where
its items are used, would leave its threads waiting, and the process with them. A function that
hands on what they make is a ``with`` as well.
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

#: Threads of :func:`done_ahead`. Each holds a frame or more, and who uses what they make is seldom
#: four times as fast.
MOST_HANDS = 4

#: Seconds between two looks at whether what is waited for is still wanted.
_WAKE: Final = 0.2

_END: Final = object()


@contextmanager
def read_ahead(
    items: Iterable[T], depth: int, go_on: Callable[[], None] | None = None
) -> Iterator[Iterator[T]]:
    """The same items, up to ``depth`` of them made ready in another thread.

    They are there within the ``with`` only: however it is left, the item in the making is waited
    for, no more are made, and ``items`` is closed where that is a generator. What the other thread
    raises is raised where the items are used, after those before it.

    Args:
        go_on: called every now and then while an item is waited for; it may raise.
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
    """As many as there are threads at hand, up to ``MOST_HANDS``."""
    return min(threads_at_hand(), MOST_HANDS)


@contextmanager
def done_ahead(
    work: Callable[[T], R], items: Iterable[T], hands: int | None = None, spare: int = 1
) -> Iterator[Iterator[R]]:
    """``work`` done to each item in other threads, while results before it are used. In order.

    Items are taken in yet another thread, each when there is room for it. The results are there
    within the ``with`` only: however it is left, what is in the making is waited for, and
    ``items`` is closed where that is a generator. What ``items`` or ``work`` raises is raised
    where the results are used, after those before it.

    Args:
        hands: how many items are in progress at a time; :func:`most_hands` when left out.
        spare: how many more results may be made or wait; none where each should be as fresh as can
            be.
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

    # A signal that strikes before the threads are stopped must not leave the end of the process
    # to wait for this one.
    feeder = threading.Thread(target=copy_context().run, args=(feed,), name="feeder", daemon=True)
    feeder.start()
    try:
        yield made()
    finally:
        stopped.set()
        room.release()
        feeder.join()
        pool.shutdown(cancel_futures=True)
