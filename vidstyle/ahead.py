"""Making things ready in another thread while those before them are used."""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, TypeVar

T = TypeVar("T")

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
