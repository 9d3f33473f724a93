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
    """Threads are scheduled as before, those that were started meanwhile as the one that asks.

    SVT-AV1, when it is opened by root, as in most containers, makes its threads and the one that
    opens it real-time, with the highest priority there is (``SCHED_FIFO``, 99). All that this
    thread starts afterwards inherits that, other processes too; one of them that is busy, and a
    machine of few cores answers nobody else.
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
