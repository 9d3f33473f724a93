"""How many of the page's queued actions are one visitor's."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

#: Actions that one address may have queued or running: a quarter of the queue, so that nobody fills
#: it alone.
SHARE = 16

#: Seconds after which an action that nobody heard the end of counts no more.
_FORGOTTEN = 3600.0


@dataclass
class _Session:
    client: str | None
    since: list[float] = field(default_factory=list)


class Turns:
    """Actions that were queued, until the page hears that they are done. Safe to use from several
    threads."""

    def __init__(self, share: int = SHARE, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            share: what one address may have waiting.
            clock: seconds that never go back.
        """
        self._share, self._clock = share, clock
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def take(self, client: str | None, session: str) -> bool:
        """Count one more action of a session; False where its address has its share already."""
        with self._lock:
            self._forget()
            taken = sum(len(s.since) for s in self._sessions.values() if s.client == client)
            if taken >= self._share:
                return False
            self._sessions.setdefault(session, _Session(client)).since.append(self._clock())
            return True

    def done(self, session: str, count: int = 1) -> None:
        """So many of a session's actions have ended; the oldest count no more."""
        with self._lock:
            if session in self._sessions:
                del self._sessions[session].since[:count]
                self._forget()

    def left(self, session: str) -> None:
        """The session has closed: what it waited for is dropped."""
        with self._lock:
            self._sessions.pop(session, None)

    def _forget(self) -> None:
        oldest = self._clock() - _FORGOTTEN
        for name, session in list(self._sessions.items()):
            session.since = [moment for moment in session.since if moment > oldest]
            if not session.since:
                del self._sessions[name]
