"""What is not whole yet, and what remains of it when its maker is killed.

A file or folder in the making lies under a hidden name that says who makes it: the place (this
boot of this machine, and the container), the process, and a random token. So two makers of one name
never share a file, whatever their process ids, and what was left behind can be told from what is
still being made.
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
"""Stands in the name of everything in the making; its target's suffix may come after it."""

#: Seconds after whose last change a file of another machine, or container, is nobody's any more.
A_DAY = 86_400

_NAME = re.compile(
    rf"\.(?P<place>[0-9a-f]{{8}})-(?P<process>\d+)-[0-9a-f]{{8}}{PARTIAL}(\.[^.]+)?$"
)
# Bytes of a name that a hidden one keeps; file systems take 255 in all.
_KEPT = 180

log = logging.getLogger(__name__)


def hidden_beside(path: Path, ending: str) -> Path:
    """A name beside ``path``: a dot, its name (see :func:`shortened`), and ``ending``."""
    return path.with_name(f".{shortened(path.name)}{ending}")


def partial_beside(target: Path, *, by_suffix: bool = False) -> Path:
    """A new name for what will be ``target``.

    Args:
        by_suffix: it ends as the target does, for encoders that go by that. Others look for files
            by it: without need a name does not.
    """
    if by_suffix:
        return hidden_beside(target.with_suffix(""), f"{tag()}{target.suffix}")
    return hidden_beside(target, tag())


def shortened(name: str) -> str:
    """A file's name to which something can be added; of a very long one a part and a checksum."""
    stored = os.fsencode(name)
    if len(stored) <= _KEPT:
        return name
    short = stored[:_KEPT].decode(errors="ignore")
    return f"{short}.{hashlib.sha256(stored).hexdigest()[:8]}"


def sweep(*folders: Path) -> None:
    """Remove what processes that have ended left in the making in these folders.

    Only what bears a name of this module and belongs to this user; of another machine or container,
    whose processes are not seen from here, only what has not changed for a day.
    """
    for folder in {folder.resolve() for folder in folders}:
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                with suppress(OSError):  # another sweeps too
                    if _is_left(entry):
                        _remove(entry)
                        log.info("%s: removed; a killed run left it behind", entry.path)


def tag() -> str:
    """The suffix that names the process which makes a file."""
    return f".{_place()}-{os.getpid()}-{secrets.token_hex(4)}{PARTIAL}"


@cache
def _place() -> str:
    """Where a process id means one process: eight hexadecimal digits."""
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
