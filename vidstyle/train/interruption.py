"""Handle SIGINT and SIGTERM between steps, never during an update of the weights."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from vidstyle.errors import Cancelled
from vidstyle.runtime.signals import STOPPING, Heard


class Interruption:
    """The signals received so far."""

    def __init__(self) -> None:
        self._heard = Heard()
        self._before = {number: signal.getsignal(number) for number in STOPPING}

    @property
    def asked(self) -> Cancelled | None:
        """The requested cancellation; None if there is none."""
        return self._heard.asked

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Signal handler. The second signal is passed to the previous handler immediately."""
        if not self._heard.counts(number) or self._heard.times == 1:
            return
        before = self._before[signal.Signals(number)]
        if callable(before):
            before(number, frame)
        elif self.asked is not None:
            raise self.asked


@contextmanager
def deferred_signals() -> Iterator[Interruption]:
    """Only record signals inside the context. Outside the main thread this does nothing."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = [signal.signal(number, interruption.ask) for number in STOPPING]
    try:
        yield interruption
    finally:
        for number, handler in zip(STOPPING, before, strict=True):
            signal.signal(number, handler)
