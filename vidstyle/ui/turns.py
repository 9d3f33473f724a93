"""Number of queued actions per visitor of the page."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

#: Actions that one address may have queued or running: a quarter of the queue, so that no single
#: address can fill it.
SHARE = 16

#: Seconds after which an action whose end was never reported no longer counts.
_FORGOTTEN = 3600.0


@dataclass
class _Session:
    client: str | None
    since: list[float] = field(default_factory=list)


class Turns:
    """Queued actions, counted until the page learns that they are done. Thread-safe."""

    def __init__(self, share: int = SHARE, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            share: maximum actions per address.
            clock: monotonic, in seconds.
        """
        self._share, self._clock = share, clock
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def take(self, client: str | None, session: str) -> bool:
        """Count one more action of a session; False if its address has used up its share."""
        with self._lock:
            self._forget()
            taken = sum(len(s.since) for s in self._sessions.values() if s.client == client)
            if taken >= self._share:
                return False
            self._sessions.setdefault(session, _Session(client)).since.append(self._clock())
            return True

    def done(self, session: str, count: int = 1) -> None:
        """Stop counting the oldest ``count`` actions of a session, which have ended."""
        with self._lock:
            if session in self._sessions:
                del self._sessions[session].since[:count]
                self._forget()

    def left(self, session: str) -> None:
        """Drop all actions of a session that has closed."""
        with self._lock:
            self._sessions.pop(session, None)

    def _forget(self) -> None:
        oldest = self._clock() - _FORGOTTEN
        for name, session in list(self._sessions.items()):
            session.since = [moment for moment in session.since if moment > oldest]
            if not session.since:
                del self._sessions[name]
