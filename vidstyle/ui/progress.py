"""How far a run is, for someone who looks at a page and may cancel it."""

import threading
from collections.abc import Sequence

from vidstyle.errors import Cancelled
from vidstyle.progress import Course, minutes


class Watched:
    """Progress of a run in another thread: told when asked, cancelled when told so."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._course = Course()

    def cancel(self) -> None:
        """End the run at its next step; it leaves no output."""
        self._cancelled.set()

    def outline(self, stages: Sequence[str]) -> None:
        """See :class:`~vidstyle.progress.Progress`."""
        self._course.outline(stages)

    def stage(self, name: str, total: int) -> None:
        """See :class:`~vidstyle.progress.Progress`."""
        self._course.stage(name, total)
        self.advance(0)

    def advance(self, steps: int) -> None:
        """See :class:`~vidstyle.progress.Progress`.

        Raises:
            Cancelled: by :meth:`cancel`.
        """
        if self._cancelled.is_set():
            raise Cancelled("cancelled")
        self._course.advance(steps)

    def close(self) -> None:
        """See :class:`~vidstyle.progress.Progress`."""

    @property
    def fraction(self) -> float:
        """Of the run, 0 to 1."""
        return self._course.fraction

    def __str__(self) -> str:
        """The stage, how far it is, and how long the run will still take."""
        course = self._course
        if not course.name:
            return "starting"
        told = f"{course.name} {course.done}/{course.total}"
        left = course.seconds_left
        return told if left is None else f"{told}, about {minutes(left)} left"
