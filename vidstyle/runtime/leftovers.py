"""Partial files, and what remains of them when their writer is killed.

A file or folder being written has a hidden name that identifies its writer: the place (this boot of
this machine, and the container), the process, and a random token. So two writers of one name never
share a file, whatever their process ids, and leftovers can be told from files still being written.
"""

import hashlib
import logging
import os
import platform
import re
import secrets
import shutil
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from vidstyle.runtime.system import runs

PARTIAL = ".partial"
"""Part of the name of every partial file; its target's suffix may follow."""

#: Seconds without a change after which a file of another machine, or container, is abandoned.
A_DAY = 86_400

_NAME = re.compile(
    rf"\.(?P<place>[0-9a-f]{{8}})-(?P<process>\d+)-[0-9a-f]{{8}}{PARTIAL}(\.[^.]+)?$"
)
# Bytes of a name that a hidden one keeps; file systems allow 255 in all.
_KEPT = 180

log = logging.getLogger(__name__)


def hidden_beside(path: Path, ending: str) -> Path:
    """A name beside ``path``: a dot, its name (see :func:`shortened`), and ``ending``."""
    return path.with_name(f".{shortened(path.name)}{ending}")


def partial_beside(target: Path, *, by_suffix: bool = False) -> Path:
    """A new name for the partial file of ``target``.

    Args:
        by_suffix: keep the target's suffix, for encoders that go by it. Other programs look for
            files by suffix, so leave it out unless needed.
    """
    if by_suffix:
        return hidden_beside(target.with_suffix(""), f"{tag()}{target.suffix}")
    return hidden_beside(target, tag())


def shortened(name: str) -> str:
    """A file name short enough to append to; a very long one is cut and gets a checksum."""
    stored = os.fsencode(name)
    if len(stored) <= _KEPT:
        return name
    short = stored[:_KEPT].decode(errors="ignore")
    return f"{short}.{hashlib.sha256(stored).hexdigest()[:8]}"


def sweep(*folders: Path) -> None:
    """Remove partial files of processes that have ended from these folders.

    Only files named by this module and owned by this user; those of another machine or container,
    whose processes are not visible from here, only if unchanged for a day.
    """
    for folder in {folder.resolve() for folder in folders}:
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                with suppress(OSError):  # another process sweeps too
                    if _is_left(entry):
                        _remove(entry)
                        log.info("%s: removed; a killed run left it behind", entry.path)


def tag() -> str:
    """The suffix that identifies the process writing a file."""
    return f".{_place()}-{os.getpid()}-{secrets.token_hex(4)}{PARTIAL}"


@cache
def _place() -> str:
    """The scope in which a process id is unique: eight hexadecimal digits."""
    told = [platform.node()]
    with suppress(OSError):
        told.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
    with suppress(OSError):
        told.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:8]


def _is_left(entry: "os.DirEntry[str]") -> bool:
    found = _NAME.search(entry.name)
    if found is None:
        return False
    status = entry.stat(follow_symlinks=False)
    if hasattr(os, "getuid") and status.st_uid != os.getuid():
        return False
    if found["place"] == _place():
        return not runs(int(found["process"]))
    return time.time() - status.st_mtime > A_DAY


def _remove(entry: "os.DirEntry[str]") -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        Path(entry.path).unlink()
