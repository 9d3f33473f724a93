"""Files that break off: what a copy that was interrupted leaves."""

import os
import struct
from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_BOX = struct.Struct(">I4s")
_CHUNK = struct.Struct("<4sI")


def missing_bytes(path: Path) -> int:
    """How many bytes a video file lacks of those that its own headers announce; 0 where they
    do not, as of streams that were recorded live.

    Matroska and WebM (RFC 8794), mp4 and mov (ISO/IEC 14496-12) and avi are known.
    """
    with path.open("rb") as file:
        start = file.read(12)
        file.seek(0)
        if start[:4] == _EBML.to_bytes(4, "big"):
            end = _end_of_matroska(file)
        elif start[:4] == b"RIFF" and start[8:] == b"AVI ":
            end = _end_of_chunks(file)
        elif start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            end = _end_of_boxes(file)
        else:
            return 0
        return max(0, end - os.fstat(file.fileno()).st_size)


def _end_of_matroska(file: BinaryIO) -> int:
    """Where the segment ends, which follows the header."""
    for wanted in (_EBML, _SEGMENT):
        if int.from_bytes(file.read(4), "big") != wanted:
            return 0
        size = _variable_size(file)
        if size is None:
            return 0
        file.seek(size, os.SEEK_CUR)
    return file.tell()


def _variable_size(file: BinaryIO) -> int | None:
    """As many bytes as the first has leading zeros follow it; all ones stand for any size."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 8 - first[0].bit_length()
    value = int.from_bytes(first + file.read(length), "big")
    most = (1 << 7 * (length + 1)) - 1
    return None if value & most == most else value & most


def _end_of_boxes(file: BinaryIO) -> int:
    """Where the last box ends whose header is there."""
    end = 0
    while len(header := file.read(_BOX.size)) == _BOX.size:
        size, kind = _BOX.unpack(header)
        if size == 1:
            size = int.from_bytes(file.read(8), "big")
        # 0 is for what goes to the end of the file; other than boxes may follow the last.
        if size < _BOX.size or not kind.isalnum():
            break
        end += size
        file.seek(end)
    return end


def _end_of_chunks(file: BinaryIO) -> int:
    """Where the last of the RIFF chunks ends that a large avi has several of."""
    end = 0
    while len(header := file.read(_CHUNK.size)) == _CHUNK.size:
        kind, size = _CHUNK.unpack(header)
        if kind != b"RIFF" or not size:
            break
        end += _CHUNK.size + size
        file.seek(end + size % 2)
    return end
