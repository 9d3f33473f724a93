"""Truncated files, as an interrupted copy leaves them."""

import os
import struct
from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_BOX = struct.Struct(">I4s")
_CHUNK = struct.Struct("<4sI")


def missing_bytes(path: Path) -> int:
    """How many bytes a video file lacks of those that its headers announce; 0 if they announce
    none, as in live recordings.

    Matroska and WebM (RFC 8794), mp4 and mov (ISO/IEC 14496-12) and avi are supported.
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
    """End of the segment, which follows the header."""
    for wanted in (_EBML, _SEGMENT):
        if int.from_bytes(file.read(4), "big") != wanted:
            return 0
        size = _variable_size(file)
        if size is None:
            return 0
        file.seek(size, os.SEEK_CUR)
    return file.tell()


def _variable_size(file: BinaryIO) -> int | None:
    """The first byte's leading zeros count the bytes that follow; all ones mean unknown size."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 8 - first[0].bit_length()
    value = int.from_bytes(first + file.read(length), "big")
    most = (1 << 7 * (length + 1)) - 1
    return None if value & most == most else value & most


def _end_of_boxes(file: BinaryIO) -> int:
    """End of the last box whose header is present."""
    end = 0
    while len(header := file.read(_BOX.size)) == _BOX.size:
        size, kind = _BOX.unpack(header)
        if size == 1:
            size = int.from_bytes(file.read(8), "big")
        # Size 0 extends to the end of the file; other data may follow the last box.
        if size < _BOX.size or not kind.isalnum():
            break
        end += size
        file.seek(end)
    return end


def _end_of_chunks(file: BinaryIO) -> int:
    """End of the last RIFF chunk, of which a large avi has several."""
    end = 0
    while len(header := file.read(_CHUNK.size)) == _CHUNK.size:
        kind, size = _CHUNK.unpack(header)
        if kind != b"RIFF" or not size:
            break
        end += _CHUNK.size + size
        file.seek(end + size % 2)
    return end
