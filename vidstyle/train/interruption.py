"""SIGINT and SIGTERM at a step's boundary: never amid an update of the weights."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from vidstyle.errors import Cancelled, Terminated


class Interruption:
    """What has been asked for so far."""

    def __init__(self) -> None:
        self.asked: Cancelled | None = None

    def ask(self, number: int, _frame: FrameType | None) -> None:
        """A signal's handler. A second signal does not wait."""
        again = self.asked is not None
        self.asked = (
            Terminated("terminated") if number == signal.SIGTERM else Cancelled("cancelled")
        )
        if again:
            raise self.asked


@contextmanager
def deferred_signals() -> Iterator[Interruption]:
    """Within, a signal is only noted. Outside the main thread nothing can be, or needs to be."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    numbers = signal.SIGINT, signal.SIGTERM
    before = [signal.signal(number, interruption.ask) for number in numbers]
    try:
        yield interruption
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
