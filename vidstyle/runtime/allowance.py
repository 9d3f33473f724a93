"""Rate limits for the clients of a server."""

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable


class Allowance:
    """Amounts that each client has spent in the last ``seconds``. Nothing is stored on disk, and
    clients that have spent nothing lately are forgotten. Thread-safe."""

    def __init__(
        self, most: float, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """
        Args:
            most: what a client may spend in ``seconds``.
            clock: seconds, monotonic.
        """
        self._most, self._seconds, self._clock = most, seconds, clock
        self._spent: dict[Hashable, deque[tuple[float, float]]] = {}
        self._lock = threading.Lock()

    def allows(self, client: Hashable, amount: float = 1) -> bool:
        """Whether a client may spend this much more."""
        with self._lock:
            self._forget()
            spent = sum(amount for _, amount in self._spent.get(client, ()))
            return spent + amount <= self._most

    def spend(self, client: Hashable, amount: float = 1) -> None:
        """Record an amount as spent."""
        with self._lock:
            self._forget()
            self._spent.setdefault(client, deque()).append((self._clock(), amount))

    def _forget(self) -> None:
        since = self._clock() - self._seconds
        for client, entries in list(self._spent.items()):
            while entries and entries[0][0] <= since:
                entries.popleft()
            if not entries:
                del self._spent[client]
