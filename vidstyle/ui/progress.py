"""How far a run is, for someone who looks at a page and may cancel it."""

import threading
import time

from vidstyle.errors import Cancelled


class Watched:
    """Progress of a run in another thread: told when asked, cancelled when told so."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._name, self._total, self._done = "", 0, 0
        self._begun = time.monotonic()

    def cancel(self) -> None:
        """End the run at its next step; it leaves no output."""
        self._cancelled.set()

    def stage(self, name: str, total: int) -> None:
        """See :class:`~vidstyle.progress.Progress`."""
        self._name, self._total, self._done = name, total, 0
        self._begun = time.monotonic()
        self.advance(0)

    def advance(self, steps: int) -> None:
        """See :class:`~vidstyle.progress.Progress`.

        Raises:
            Cancelled: by :meth:`cancel`.
        """
        if self._cancelled.is_set():
            raise Cancelled("cancelled")
        self._done += steps

    def close(self) -> None:
        """See :class:`~vidstyle.progress.Progress`."""

    @property
    def fraction(self) -> float:
        """Of this stage, 0 to 1."""
        return min(1.0, self._done / self._total) if self._total else 0.0

    def __str__(self) -> str:
        """The stage, how far it is, and how long it will still take."""
        if not self._name:
            return "starting"
        told = f"{self._name} {self._done}/{self._total}"
        if 0 < self.fraction < 1:
            spent = time.monotonic() - self._begun
            left = spent / self.fraction - spent
            told += f", {left // 60:.0f}:{left % 60:02.0f} left"
        return told
