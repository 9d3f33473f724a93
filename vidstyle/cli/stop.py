"""SIGINT and SIGTERM at the command line."""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType, TracebackType

from vidstyle.errors import Cancelled
from vidstyle.runtime.signals import STOPPING, Heard

# Seconds after which a run is asked again whose interrupt was dropped.
_SOON = 0.01


class Stop:
    """Ends the run where a signal finds it. A second signal ends the process at once, whatever it
    is still cleaning up.

    Where the first strikes in a callback, as imports have them, or in a destructor, Python prints
    what is raised and goes on; so do extension modules while they are loaded. Then the run is asked
    again.
    """

    def __init__(self) -> None:
        self._heard = Heard()
        self._unraisable, self._printed = sys.unraisablehook, sys.excepthook

    def listen(self) -> None:
        """Take over signals, and what Python does with exceptions that go nowhere."""
        for number in STOPPING:
            signal.signal(number, self)
        sys.unraisablehook, sys.excepthook = self._on_unraisable, self._on_printed

    @property
    def error(self) -> Cancelled | None:
        """Why the run ends. A library that is interrupted may turn that into an error of its
        own."""
        return self._heard.asked

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """A signal's handler."""
        if not self._heard.counts(number):
            return
        if self._heard.times == 1 and self.error is not None:
            raise self.error
        os.write(2, b"vidstyle: ended at once; unfinished files may be left\n")
        os._exit(128 + number)

    def _on_unraisable(self, dropped: "sys.UnraisableHookArgs") -> None:
        if isinstance(dropped.exc_value, Cancelled):
            self._ask_again()
        else:
            self._unraisable(dropped)

    def _on_printed(
        self,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Cancelled):
            self._ask_again()
        else:
            self._printed(kind, error, trace)

    def _ask_again(self) -> None:
        """Soon: what is raised here would be dropped as well."""
        if sys.platform != "win32":  # which has no timers of that kind
            with suppress(ValueError):  # only the main thread hears signals
                signal.signal(signal.SIGALRM, self._again)
                signal.setitimer(signal.ITIMER_REAL, _SOON)

    def _again(self, _number: int, _frame: FrameType | None) -> None:
        if self.error is not None:
            raise self.error
