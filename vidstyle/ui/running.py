"""A run in its own thread: the page shows its progress and can cancel it."""

import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from vidstyle.errors import Cancelled, UsageError
from vidstyle.runtime.progress import CancelToken, Reporting, minutes

#: Seconds between progress checks.
_LOOK = 0.25

T = TypeVar("T")


class Watched(Reporting):
    """Progress of a run in another thread, readable at any time."""

    def __init__(self) -> None:
        self._cancel = CancelToken()
        super().__init__(None, self._cancel)

    def cancel(self) -> None:
        """End the run at its next step; it leaves no output."""
        self._cancel.cancel()

    @property
    def fraction(self) -> float:
        """Completed fraction of the run, 0 to 1."""
        return self.course.fraction

    def __str__(self) -> str:
        """The stage, its progress, and the time remaining."""
        course = self.course
        if not course.name:
            return "starting"
        told = f"{course.name} {course.done}/{course.total}"
        left = course.seconds_left
        return told if left is None else f"{told}, about {minutes(left)} left"


class Runner:
    """One run at a time."""

    def __init__(self) -> None:
        self._watched: Watched | None = None
        self._thread: threading.Thread | None = None

    def run(self, work: Callable[[Watched], T]) -> Iterator[Watched | T]:
        """Work in another thread, repeatedly yielding progress and finally the result. Closing the
        iterator cancels the run.

        Raises:
            UsageError: another run is in progress.
            Exception, Cancelled: whatever the work raised.
        """
        if self._watched is not None:
            raise UsageError("this clip is already being processed; wait, or cancel it")
        watched, ended, failures = Watched(), list[T](), list[BaseException]()

        def target() -> None:
            try:
                ended.append(work(watched))
            except (Exception, Cancelled) as error:  # raised in the user's thread
                failures.append(error)

        thread = threading.Thread(target=target, name="ui-run")
        self._watched, self._thread = watched, thread
        thread.start()
        try:
            while thread.is_alive():
                yield watched
                thread.join(_LOOK)
        finally:
            watched.cancel()
            thread.join()
            self._watched = None
        if failures:
            raise failures[0]
        yield from ended

    def cancel(self) -> None:
        """Stop the current run, if any, at its next step."""
        if self._watched is not None:
            self._watched.cancel()

    def close(self) -> None:
        """Cancel it and wait for it to end."""
        self.cancel()
        if self._thread is not None:
            self._thread.join()
