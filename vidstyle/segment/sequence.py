"""The files of a numbered sequence of mattes: ``m.%04d.png``, ``m.####.png`` or a folder."""

import re
from pathlib import Path

PICTURES = frozenset({".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".webp", ".pgm"})


def sequence_files(pattern: str) -> list[Path]:
    """The files that ``pattern`` names, in the order of their numbers; a folder's pictures are
    ordered by the numbers in their names. Empty when there are none."""
    path = Path(pattern)
    if path.is_dir():
        files = [p for p in path.iterdir() if p.suffix.lower() in PICTURES]
    elif path.parent.is_dir():
        named = re.compile(_regex(path.name))
        files = [p for p in path.parent.iterdir() if named.fullmatch(p.name)]
    else:
        files = []
    return sorted(files, key=_numbers)


def sequence_exists(pattern: str) -> bool:
    """Whether ``pattern`` names a folder or at least one file."""
    return Path(pattern).is_dir() or bool(sequence_files(pattern))


def _regex(name: str) -> str:
    """A pattern's file name as a regular expression: ``%04d`` and ``####`` are numbers of at
    least so many digits, all else is literal."""
    parts = re.split(r"(%0?\d*d|#+)", name)
    for i in range(1, len(parts), 2):
        width = len(parts[i]) if parts[i].startswith("#") else int(parts[i][1:-1] or 1)
        parts[i] = rf"\d{{{max(width, 1)},}}"
    parts[0::2] = [re.escape(part) for part in parts[0::2]]
    return "".join(parts)


def _numbers(path: Path) -> list[tuple[int, str]]:
    """Sorting key that compares digits by value: ``m2`` before ``m10``."""
    return [(int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", path.name)]
