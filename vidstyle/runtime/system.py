"""What differs between POSIX systems and Windows."""

import os
import sys
from typing import IO


def lock(file: IO[str]) -> None:
    """Lock a file for this process, until it is closed.

    Raises:
        OSError: another process holds it.
    """
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def runs(process: int) -> bool:
    """Whether a process with this id is running, whoever owns it."""
    if sys.platform == "win32":
        return _is_listed(process)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def peak_memory() -> float:
    """Peak resident memory of this process so far, in MiB."""
    if sys.platform == "win32":
        return _peak_working_set() / 2**20
    import resource

    # macOS counts bytes, Linux KiB.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    class _Counters(ctypes.Structure):
        """PROCESS_MEMORY_COUNTERS of psapi.h."""

        _fields_ = (
            ("cb", wintypes.DWORD),
            ("PageFaultCount", wintypes.DWORD),
            ("PeakWorkingSetSize", ctypes.c_size_t),
            ("rest", ctypes.c_size_t * 7),
        )

    def _peak_working_set() -> int:
        counters = _Counters(cb=ctypes.sizeof(_Counters))
        process = ctypes.windll.kernel32.GetCurrentProcess
        process.restype = wintypes.HANDLE
        information = ctypes.windll.kernel32.K32GetProcessMemoryInfo
        information.argtypes = (wintypes.HANDLE, ctypes.POINTER(_Counters), wintypes.DWORD)
        information(process(), ctypes.byref(counters), counters.cb)
        return int(counters.PeakWorkingSetSize)

    _QUERY = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION
    _DENIED = 5
    _STILL_ACTIVE = 259

    def _is_listed(process: int) -> bool:
        kernel = ctypes.windll.kernel32
        kernel.OpenProcess.restype = wintypes.HANDLE
        handle = kernel.OpenProcess(_QUERY, False, process)
        if not handle:
            return bool(kernel.GetLastError() == _DENIED)
        code = wintypes.DWORD()
        kernel.GetExitCodeProcess(wintypes.HANDLE(handle), ctypes.byref(code))
        kernel.CloseHandle(wintypes.HANDLE(handle))
        return code.value == _STILL_ACTIVE
