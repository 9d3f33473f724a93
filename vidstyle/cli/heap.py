"""Keeping the process from growing while a long shot is rendered."""

import ctypes
import platform

_M_ARENA_MAX = -8  # glibc's malloc.h


def use_one_heap() -> None:
    """Let all threads allocate from one heap, where the C library is glibc.

    Frames are allocated by the thread that decodes and freed by those that render and encode. With
    a heap for each thread, as glibc has by default, the freed parts are reused late and by some
    threads only, and resident memory creeps up over hundreds of frames. Call before threads start.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
