"""Which files a name stands for: a file, a numbered sequence, or a folder of pictures.

Padding uses fileseq's syntax. Files are not found with fileseq: it takes every dash for a minus,
and finds numbers only at the end of a name.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fileseq.constants import PAD_STYLE_HASH1
from fileseq.filesequence import FileSequence
from fileseq.utils import pad

from vidstyle.errors import MediaError
from vidstyle.media.access import readable

PICTURE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".pgm", ".ppm"),
    *(".exr", ".dpx"),
)

# Inside a word it is not padding: take#2.mov.
_PADDING = re.compile(r"(?:%0?\d*d|#+|@+|\$F\d?|<UDIM>)(?=[._\- ]|$)")
# A dash is a minus unless it follows a name: shot.-0001.png, but frame-0001.png.
_NUMBER = re.compile(r"(?:(?<=[._])-|^-)?[0-9]+")


@dataclass(frozen=True)
class NumberedFile:
    """A picture of a sequence and the number in its name (0 for a lone picture)."""

    number: int
    path: Path


@dataclass(frozen=True)
class Pattern:
    """The parts of a pattern: ``shot.``, ``%04d`` and ``.exr`` for ``plates/shot.%04d.exr``; what
    follows the number may be more than a suffix: ``_left.exr``."""

    base: str
    padding: str
    suffix: str

    def __str__(self) -> str:
        """The pattern, without a folder."""
        return f"{self.base}{self.padding}{self.suffix}"

    @property
    def width(self) -> int:
        """Minimum digits of a number."""
        return int(FileSequence.getPaddingNum(self.padding, pad_style=PAD_STYLE_HASH1))

    def name(self, number: int) -> str:
        """The name of one file."""
        return f"{self.base}{pad(number, self.width)}{self.suffix}"

    def number(self, name: str) -> int | None:
        """The number in a name of this pattern; None for any other name."""
        end = len(name) - len(self.suffix)
        digits = name[len(self.base) : end]
        if not re.fullmatch(r"-?[0-9]+", digits):
            return None
        number = int(digits)
        return number if self.name(number) == name else None


def parse_pattern(name: str) -> Pattern:
    """The parts of a name for which :func:`is_numbered` holds."""
    pattern = _pattern(name)
    if pattern is None:
        raise ValueError(f"{name}: no pattern")
    return pattern


@readable()
def is_pattern(name: str) -> bool:
    """Whether a name is numbered by ``%04d``, ``####`` or ``@@@@`` and is not an existing file."""
    return is_numbered(name) and not Path(name).exists()


def is_numbered(name: str) -> bool:
    """Whether a name has the form of a pattern, even if a file has that name."""
    return _pattern(name) is not None


@readable()
def is_sequence(name: str) -> bool:
    """Whether a name stands for pictures: a pattern, a folder or one picture file."""
    path = Path(name)
    return path.is_dir() or path.suffix.lower() in PICTURE_SUFFIXES or is_pattern(name)


def numbered(pattern: str, number: int) -> Path:
    """The file with ``number`` of a pattern; any other name is returned as it is."""
    parts = _pattern(pattern)
    return Path(pattern) if parts is None else Path(pattern).with_name(parts.name(number))


@readable()
def matching(name: str) -> list[NumberedFile]:
    """The files that a name stands for, by number; empty when there are none."""
    if is_pattern(name):
        folder, pattern = Path(name).parent, parse_pattern(name)
        found = ((pattern.number(file), file) for file in _files(folder))
        return sorted(
            (NumberedFile(number, folder / file) for number, file in found if number is not None),
            key=lambda file: file.number,
        )
    return [NumberedFile(0, Path(name))] if Path(name).is_file() else []


@readable()
def split_channel(name: str) -> tuple[str, str | None]:
    """The file name and what is selected in it: the channel of ``comp.####.exr#mask``, the label of
    ``labels/#2`` or ``m.png#2``; None if nothing is selected."""
    match = re.fullmatch(r"(.+\.[A-Za-z]\w*|.+[/\\])#([^#/\\]+)", name)
    if match is None and not Path(name).exists():
        match = re.fullmatch(r"(.+)#(\d+)", name)
        match = match if match and Path(match[1]).is_dir() else None
    return (match[1], match[2]) if match and not Path(name).exists() else (name, None)


@readable()
def pictures(source: str) -> list[NumberedFile]:
    """The pictures that a source stands for, by number; at least one.

    Raises:
        MediaError: there are none, or a folder holds several sequences.
    """
    path = Path(source)
    found = _in_folder(path) if path.is_dir() else matching(source)
    if not found:
        what = "matches no file" if is_pattern(source) else "no such file"
        raise MediaError(f"{source}: {what}; check the name")
    if found[0].path.suffix.lower() not in PICTURE_SUFFIXES:
        raise MediaError(
            f"{source}: {found[0].path.suffix or 'such'} pictures cannot be read; "
            f"convert them to one of {' '.join(PICTURE_SUFFIXES)}"
        )
    return found


@readable()
def patterns_in(folder: Path) -> list[Pattern]:
    """The numbered sequences of pictures in a folder."""
    return sorted(_sequences(folder)[0], key=str)


def _pattern(name: str) -> Pattern | None:
    """Split at the widest padding in the file name; the last one on a tie."""
    file = Path(name).name
    parts = [
        Pattern(file[: match.start()], match[0], file[match.end() :])
        for match in _PADDING.finditer(file)
    ]
    return max(reversed(parts), key=lambda pattern: pattern.width, default=None)


def _files(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()] if folder.is_dir() else []


def _in_folder(folder: Path) -> list[NumberedFile]:
    sequences, alone = _sequences(folder)
    if not sequences and not alone:
        raise MediaError(f"{folder}: no pictures in it; name a folder with numbered pictures")
    if len(sequences) + len(alone) > 1:
        names = ", ".join(sorted([*map(str, sequences), *alone])[:3])
        raise MediaError(
            f"{folder}: {len(sequences) + len(alone)} sequences in it ({names}, …); "
            "name one by a pattern such as shot.####.png"
        )
    if alone:
        return [NumberedFile(0, folder / alone[0])]
    (numbers,) = sequences.values()
    return [NumberedFile(number, folder / numbers[number]) for number in sorted(numbers)]


def _sequences(folder: Path) -> tuple[dict[Pattern, dict[int, str]], list[str]]:
    """The sequences of pictures in a folder, each with its files by number; and the pictures
    without a number."""
    names = [
        name
        for name in _files(folder)
        if Path(name).suffix.lower() in PICTURE_SUFFIXES and not name.startswith(".")
    ]
    families: dict[tuple[str, str], list[str]] = defaultdict(list)
    alone = []
    for name, family in _families(sorted(names)):
        if family is None:
            alone.append(name)
        else:
            families[family].append(name)
    sequences: dict[Pattern, dict[int, str]] = {}
    for (base, suffix), members in families.items():
        for digits in _by_width(name[len(base) : len(name) - len(suffix)] for name in members):
            width = min(len(number.lstrip("-")) for number in digits)
            numbers = {int(number): f"{base}{number}{suffix}" for number in digits}
            sequences[Pattern(base, "#" * width, suffix)] = numbers
    return sequences, alone


def _families(names: list[str]) -> Iterator[tuple[str, tuple[str, str] | None]]:
    """Each name, with what comes before and after its frame number: the number at its end, unless
    only another one makes it part of a sequence; None for a name without a frame number."""
    places = {name: list(_NUMBER.finditer(name[: -len(Path(name).suffix)])) for name in names}
    around = {
        name: [(name[: number.start()], name[number.end() :]) for number in numbers]
        for name, numbers in places.items()
    }
    sizes = Counter(family for families in around.values() for family in families)
    for name, families in around.items():
        if not families:
            yield name, None
            continue
        last = families[-1]
        at_end = last[1] == Path(name).suffix
        # On a tie the last, which is the number at the end if there is one.
        largest = max(reversed(families), key=lambda family: sizes[family])
        if at_end and sizes[last] > 1:
            yield name, last
        else:
            yield name, largest if at_end or sizes[largest] > 1 else None


def _by_width(numbers: Iterable[str]) -> Iterator[list[str]]:
    """Numbers grouped by their padding: 0009, 0010 and 12345 go together, 9 and 10 too."""
    numbers = sorted(numbers, key=lambda digits: (len(digits), digits))
    widths = sorted({len(n) for n in numbers if len(n) > 1 and n.lstrip("-").startswith("0")})
    groups: dict[int, list[str]] = defaultdict(list)
    for digits in numbers:
        groups[max((width for width in widths if width <= len(digits)), default=0)].append(digits)
    yield from groups.values()
