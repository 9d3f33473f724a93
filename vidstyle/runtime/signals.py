"""SIGINT and SIGTERM: what they ask for, and when a second one is meant."""

import signal
import time

from vidstyle.errors import Cancelled, Terminated

STOPPING = (signal.SIGINT, signal.SIGTERM)

# Seconds in which signals are one: a launcher passes on what the terminal sends to all as well.
_ONE = 0.5


class Heard:
    """The signals that have come so far.

    Attributes:
        asked: what the first asks for; None before it came.
        times: how often it was asked.
    """

    def __init__(self) -> None:
        self.asked: Cancelled | None = None
        self.times = 0
        self._counted = 0.0

    def counts(self, number: int) -> bool:
        """Note a signal. Whether it counts: an echo of the one before does not."""
        now = time.monotonic()
        if self.times and now - self._counted < _ONE:
            return False
        self.times, self._counted = self.times + 1, now
        if self.asked is None:
            terminated = number == signal.SIGTERM
            self.asked = Terminated("terminated") if terminated else Cancelled("cancelled")
        return True
