"""Names of shots: derived from their files, and safe as file names."""

import re
import unicodedata
from pathlib import Path

from vidstyle.media.pattern import is_pattern, parse_pattern

MOVIE_SUFFIXES = (".mp4", ".mov", ".mkv", ".m4v", ".avi", ".mxf", ".webm", ".mpg", ".ts")

# Longer names do not fit most file systems, once numbers and suffixes are added.
_LONGEST = 100
# Device names reserved by Windows.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def plain_name(source: str) -> str:
    """The name of a clip or sequence, without frame number and suffix."""
    path = Path(source)
    if is_pattern(source):
        pattern = parse_pattern(source)
        rest = pattern.suffix.removesuffix(path.suffix)
        return f"{pattern.base.rstrip('._- ')}{rest}".strip("._- ") or path.name
    return path.stem if path.suffix.lower() in MOVIE_SUFFIXES else path.name


def safe_name(name: str) -> str:
    """The last part of a name, with unsafe characters replaced: separators, those special to
    patterns and shells, control characters, leading and trailing dots."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name).rstrip("/\\"))[-1]
    plain = re.sub(r"[^\w .,()+=-]|[\x00-\x1f]", "_", last).strip(" .-")[:_LONGEST].strip(" .")
    return f"_{plain}" if not plain or _DEVICES.fullmatch(plain) else plain
