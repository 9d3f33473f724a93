"""SIGINT and SIGTERM: what they request, and when a second one counts."""

import signal
import time

from vidstyle.errors import Cancelled, Terminated

STOPPING = (signal.SIGINT, signal.SIGTERM)

# Seconds within which signals count as one: a launcher forwards what the terminal also sends.
_ONE = 0.5


class Heard:
    """The signals received so far.

    Attributes:
        asked: what the first one requests; None before it.
        times: how many signals counted.
    """

    def __init__(self) -> None:
        self.asked: Cancelled | None = None
        self.times = 0
        self._counted = 0.0

    def counts(self, number: int) -> bool:
        """Record a signal; returns whether it counts: an echo of the previous one does not."""
        now = time.monotonic()
        if self.times and now - self._counted < _ONE:
            return False
        self.times, self._counted = self.times + 1, now
        if self.asked is None:
            terminated = number == signal.SIGTERM
            self.asked = Terminated("terminated") if terminated else Cancelled("cancelled")
        return True
