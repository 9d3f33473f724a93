"""Which files a name stands for: a file, a numbered sequence, or a folder of pictures."""

import re
from dataclasses import dataclass
from pathlib import Path

from fileseq.constants import PAD_STYLE_HASH1
from fileseq.exceptions import FileSeqException
from fileseq.filesequence import FileSequence

from vidstyle.errors import MediaError

PICTURE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".pgm", ".ppm"),
    *(".exr", ".dpx"),
)


@dataclass(frozen=True)
class NumberedFile:
    """A picture of a sequence and the number in its name (0 for a lone picture)."""

    number: int
    path: Path


@dataclass(frozen=True)
class Pattern:
    """A pattern in its parts: of ``plates/shot.%04d.exr`` these are ``shot.``, ``%04d`` and
    ``.exr``."""

    base: str
    padding: str
    suffix: str

    def __str__(self) -> str:
        """The pattern, without a folder."""
        return f"{self.base}{self.padding}{self.suffix}"


def parse_pattern(name: str) -> Pattern:
    """The parts of a name that :func:`is_pattern`."""
    return _parts(FileSequence(name, pad_style=PAD_STYLE_HASH1))


def is_pattern(name: str) -> bool:
    """Whether a name is numbered by ``%04d``, ``####`` or ``@@@@`` and no file itself."""
    try:
        padding = FileSequence(name, pad_style=PAD_STYLE_HASH1).padding()
    except FileSeqException:
        return False
    return bool(padding) and not Path(name).exists()


def is_sequence(name: str) -> bool:
    """Whether a name stands for pictures: a pattern, a folder or one picture file."""
    path = Path(name)
    return path.is_dir() or path.suffix.lower() in PICTURE_SUFFIXES or is_pattern(name)


def numbered(pattern: str, number: int) -> Path:
    """The file of a pattern that carries ``number``."""
    return Path(FileSequence(pattern, pad_style=PAD_STYLE_HASH1).frame(number))


def matching(name: str) -> list[NumberedFile]:
    """The files that a name stands for, by number; empty when there are none."""
    if is_pattern(name):
        try:
            found = FileSequence.findSequenceOnDisk(
                name, strictPadding=True, pad_style=PAD_STYLE_HASH1
            )
        except FileSeqException:
            return []
        return _members(found)
    return [NumberedFile(0, Path(name))] if Path(name).is_file() else []


def split_channel(name: str) -> tuple[str, str | None]:
    """The file name and what is picked of it: the channel of ``comp.####.exr#mask``, the label of
    ``labels/#2`` or ``m.png#2``; None where nothing is named."""
    match = re.fullmatch(r"(.+\.[A-Za-z]\w*|.+[/\\])#([^#/\\]+)", name)
    if match is None and not Path(name).exists():
        match = re.fullmatch(r"(.+)#(\d+)", name)
        match = match if match and Path(match[1]).is_dir() else None
    return (match[1], match[2]) if match and not Path(name).exists() else (name, None)


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


def patterns_in(folder: Path) -> list[Pattern]:
    """The numbered sequences of pictures in a folder."""
    return [_parts(found) for found in _sequences(folder) if found.frameSet() is not None]


def _sequences(folder: Path) -> list[FileSequence]:
    """Of pictures, lone ones too."""
    return [
        sequence
        for sequence in FileSequence.findSequencesOnDisk(str(folder), pad_style=PAD_STYLE_HASH1)
        if sequence.extension().lower() in PICTURE_SUFFIXES
    ]


def _parts(sequence: FileSequence) -> Pattern:
    return Pattern(str(sequence.basename()), str(sequence.padding()), str(sequence.extension()))


def _in_folder(folder: Path) -> list[NumberedFile]:
    sequences = _sequences(folder)
    if not sequences:
        raise MediaError(f"{folder}: no pictures in it; name a folder with numbered pictures")
    if len(sequences) > 1:
        names = ", ".join(sorted(Path(str(sequence)).name for sequence in sequences)[:3])
        raise MediaError(
            f"{folder}: {len(sequences)} sequences in it ({names}, …); "
            "name one by a pattern such as shot.####.png"
        )
    return _members(sequences[0])


def _members(sequence: FileSequence) -> list[NumberedFile]:
    frames = sequence.frameSet()
    if frames is None:
        return [NumberedFile(0, Path(str(sequence)))]
    return [NumberedFile(int(n), Path(sequence.frame(n))) for n in sorted(frames)]
