"""Where a render's time goes."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from vidstyle.runtime.log_context import at

log = logging.getLogger(__name__)


class Stages:
    """Seconds of wall time by stage, added up. Use it as a context manager: ``with
    stages("flow"):``.

    Stages of several threads overlap: their sum may exceed the render's duration.

    On CUDA the work of a stage may still be queued when its context ends, and is then counted
    where the result is first waited for.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        with at(stage=name):
            try:
                yield
            finally:
                spent = time.perf_counter() - start
                with self._lock:
                    self.seconds[name] += spent
                log.debug("%s: %.3f s", name, spent, extra={"seconds": spent})
