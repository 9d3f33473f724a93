"""Output paths, checked before work starts, so that no render fails at the end."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from vidstyle.errors import UsageError
from vidstyle.media.access import readable
from vidstyle.media.pattern import is_numbered, is_pattern, matching, numbered

WRITABLE_PICTURES = (".png", ".jpg", ".jpeg", ".exr", ".dpx", ".tif", ".tiff")

_LONGEST = 255  # bytes of a file's name
_LARGE_NUMBER = 9_999_999


def target_exists(target: str) -> bool:
    """Whether a file, or any file of a sequence, already exists."""
    return bool(matching(target))


def check_free(target: str, overwrite: bool) -> None:
    """
    Raises:
        UsageError: the target exists and may not be replaced.
    """
    if target_exists(target) and not overwrite:
        raise UsageError(f"{target}: exists; add --overwrite, or name another output")


def is_picture_target(target: str) -> bool:
    """Whether a target is an image sequence or a picture rather than a video file."""
    return Path(target).suffix.lower() in WRITABLE_PICTURES


def check_target(target: str, source: str | None) -> None:
    """Reject targets that cannot be written, or would overwrite their own source.

    Raises:
        UsageError: the folder is missing or unwritable, the target is a folder, or one of its
            files is a file of ``source`` (under any name or link).
    """
    path = Path(target)
    longest = numbered(target, _LARGE_NUMBER).name if is_numbered(target) else path.name
    if len(os.fsencode(longest)) > _LONGEST:
        raise UsageError(f"{target}: the file name is too long; give a shorter one")
    folder = path.parent
    try:
        if path.is_dir():
            raise UsageError(f"{target}: a folder; name a file, or a pattern in it: shot.####.png")
        if not folder.is_dir():
            raise UsageError(f"{target}: there is no folder {folder}; make it first")
        # The only sure test: permission bits mean nothing on read-only and network mounts.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(f"{target}: cannot write in {folder} ({error.strerror})") from None
    if source is not None and _identities(target) & _identities(source):
        raise UsageError(f"{target}: the output is the input itself; name another output")


@readable()
def _identities(name: str) -> set[tuple[int, int]]:
    """Device and inode of each file, which identify it through symbolic and hard links."""
    path = Path(name)
    files = list(path.iterdir()) if path.is_dir() else [file.path for file in matching(name)]
    found = set()
    for file in files:
        with suppress(OSError):  # a link to nothing
            status = file.stat()
            found.add((status.st_dev, status.st_ino))
    return found


@readable()
def default_target(source: str) -> str:
    """The output's name if none is given: ``clip.styled.mp4`` beside ``clip.mp4``."""
    path = Path(source)
    if path.is_dir():
        whole = path.resolve()
        # What "." and ".." lie beside is not in their names.
        parent = whole.parent if path.name in ("", "..") else path.parent
        return str(parent / f"{whole.name}.styled.mp4")
    if is_pattern(source):
        return str(path.with_name(f"styled.{path.name}"))
    kept = (".mp4", ".mov", ".mkv", *WRITABLE_PICTURES)
    suffix = path.suffix if path.suffix.lower() in kept else ".mkv"
    return str(path.with_name(f"{path.stem}.styled{suffix}"))
