"""Shot lists as CSV, one shot per row, or YAML, one per entry.

File names are relative to the list's folder.
"""

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from vidstyle.batch.shot import Shot, shot_of
from vidstyle.errors import MediaError, UsageError
from vidstyle.runtime.nesting import parsed


def shots_in_csv(path: Path) -> list[Shot]:
    """One shot per row; the first row names the columns.

    Raises:
        MediaError: it is not a text file.
        UsageError: a row is invalid.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        try:
            rows = list(csv.DictReader(file, restkey="", restval="", strict=True))
        except (csv.Error, UnicodeDecodeError) as error:
            raise MediaError(f"{path}: not a CSV in UTF-8 ({error}); export it again") from None
    shots = []
    for number, row in enumerate(rows, start=2):
        if extra := row.pop("", None):
            raise UsageError(
                f"{path}, row {number}: more fields than columns ({extra}); quote those that hold "
                'commas: "box:60,30,250,150"'
            )
        if any(value.strip() for value in row.values()):
            shots.append(shot_of(row, f"{path}, row {number}", beside(path)))
    return shots


def shots_in_yaml(path: Path) -> list[Shot]:
    """A list of mappings, or a mapping with the list under ``shots``. Multiple objects are a list,
    or separated by ``|``.

    Raises:
        MediaError: it is not YAML.
        UsageError: an entry is invalid.
    """
    import yaml

    try:
        # Everything as text: YAML would read 10:00:00:00 as a number, and "on" as true.
        text = path.read_text(encoding="utf-8")
        content = parsed(partial(yaml.load, Loader=yaml.BaseLoader), text)
    except (yaml.YAMLError, ValueError) as error:
        problem = " ".join(str(error).split())
        raise MediaError(f"{path}: not YAML ({problem}); fix it or export it again") from None
    entries = content.get("shots") if isinstance(content, dict) else content
    if not isinstance(entries, list):
        raise UsageError(f"{path}: not a list of shots; give a list, or one under 'shots:'")
    return [
        shot_of(_texts(entry, f"{path}, shot {n}"), f"{path}, shot {n}", beside(path))
        for n, entry in enumerate(entries, start=1)
    ]


def beside(path: Path) -> Callable[[str], str]:
    """Resolves names in a list relative to the list's folder."""
    return lambda name: str(path.parent / name)


def _texts(entry: Any, where: str) -> dict[str, str]:
    if not isinstance(entry, dict):
        raise UsageError(f"{where}: not a mapping; write entries such as 'source: clip.mov'")
    texts = {}
    for key, value in entry.items():
        parts = value if isinstance(value, list) else [value]
        if not isinstance(key, str) or not all(isinstance(part, str) for part in parts):
            raise UsageError(f"{where}: {key}: neither a string nor a list of strings")
        texts[key] = "|".join(parts)
    return texts
