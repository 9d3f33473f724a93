"""How the system schedules this process's threads."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: Linux names the threads of a process here.
_TASKS = Path("/proc/self/task")


@contextmanager
def scheduling_kept() -> Iterator[None]:
    """Restore the scheduling of this thread, and apply it to threads started meanwhile.

    When opened by root, as in most containers, SVT-AV1 makes its threads and the calling one
    real-time, with the highest priority (``SCHED_FIFO``, 99). Everything this thread starts
    afterwards inherits that, including processes; a busy one makes a machine with few cores
    unresponsive.
    """
    if not (hasattr(os, "sched_setscheduler") and _TASKS.is_dir()):
        yield
        return
    policy, parameter, before = os.sched_getscheduler(0), os.sched_getparam(0), _threads()
    try:
        yield
    finally:
        for thread in (_threads() - before) | {threading.get_native_id()}:
            with suppress(ProcessLookupError):  # it has ended
                if os.sched_getscheduler(thread) != policy:
                    os.sched_setscheduler(thread, policy, parameter)


def _threads() -> set[int]:
    return {int(task.name) for task in _TASKS.iterdir()}
