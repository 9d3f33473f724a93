"""The clips and image sequences in a folder."""

from pathlib import Path

from vidstyle.batch.names import MOVIE_SUFFIXES, plain_name
from vidstyle.batch.shot import Shot
from vidstyle.media.pattern import patterns_in


def shots_in_folder(folder: Path) -> list[Shot]:
    """Every clip and numbered sequence in the folder, and every subfolder that holds one sequence,
    by name; hidden files and single pictures are skipped."""
    found = {
        path.name: Shot(path.stem, str(path))
        for path in folder.iterdir()
        if path.suffix.lower() in MOVIE_SUFFIXES and path.is_file() and path.name[0] != "."
    }
    for path in [folder, *(p for p in folder.iterdir() if p.is_dir() and p.name[0] != ".")]:
        patterns = [str(pattern) for pattern in patterns_in(path)]
        for pattern in patterns:
            # A one-sequence folder is more often named after the shot than its pictures are.
            alone = path != folder and len(patterns) == 1
            name = path.name if alone else plain_name(pattern)
            found[str(path.relative_to(folder) / pattern)] = Shot(name, str(path / pattern))
    return [found[key] for key in sorted(found)]
