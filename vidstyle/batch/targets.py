"""Output paths of shots: within the batch's folder, under names valid on every file system."""

from collections.abc import Sequence
from pathlib import Path

from vidstyle.batch.names import safe_name
from vidstyle.batch.shot import Shot
from vidstyle.errors import UsageError
from vidstyle.media.pattern import is_pattern, parse_pattern
from vidstyle.media.video.codecs import CODECS, MOVIE_SUFFIXES
from vidstyle.media.video.target import WRITABLE_PICTURES


def names_of(shots: Sequence[Shot]) -> list[str]:
    """A file-safe name for each shot, unique even when case is ignored."""
    taken: set[str] = set()
    names = []
    for shot in shots:
        base = name = safe_name(shot.name)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


def target_of(shot: Shot, name: str, codec: str | None, root: Path) -> str:
    """The shot's output: the list's, else a file of its name and, if the codec allows, its
    source's format; sequences get a folder of their own.

    Raises:
        UsageError: the list's path leads outside ``root``.
    """
    if shot.output is not None:
        return str(_within(root, shot.output, shot.name))
    preset = CODECS.get(codec or "")
    path = Path(shot.source)
    if preset is None and is_pattern(shot.source):
        pattern = parse_pattern(shot.source)
        suffix = path.suffix.lower()
        suffix = suffix if suffix in WRITABLE_PICTURES else ".png"
        return str(root / name / f"{name}.{pattern.padding}{suffix}")
    if preset is None and shot.source and path.is_dir():
        return str(root / name / f"{name}.####.png")
    suffix = path.suffix.lower() if path.suffix.lower() in MOVIE_SUFFIXES else ".mov"
    if preset is not None and suffix not in preset.suffixes:
        suffix = preset.suffixes[0]
    return str(root / f"{name}{suffix}")


def _within(root: Path, output: str, shot: str) -> Path:
    path = root / output
    hidden = any(part.startswith(".") for part in Path(output).parts)
    if hidden or not output.isprintable() or not _is_below(path, root):
        raise UsageError(
            f"shot {shot}: output {output!r} is not a file within {root}; name one, relative to it"
        )
    return path


def _is_below(path: Path, root: Path) -> bool:
    """Whether a path lies in a folder once links are resolved."""
    return root.resolve() in path.resolve().parents
