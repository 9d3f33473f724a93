"""What a picture file tells before it is decoded: its size, and for JPEG whether it is complete,
since its decoder fills in grey for what is missing."""

import re
import struct
import warnings
from collections.abc import Callable, Iterator
from io import BytesIO

from PIL.BmpImagePlugin import BmpImageFile
from PIL.ImageFile import ImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile

_JPEG, _PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # markers of headers with a size
# Within a scan, only these are markers.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")

# Pillow parses only their headers. Image.open has limits of its own.
_BY_PILLOW: tuple[tuple[bytes, Callable[[BytesIO], ImageFile]], ...] = (
    (b"BM", BmpImageFile),
    (b"P[1-7]", PpmImageFile),
    (rb"II\*\0|MM\0\*", TiffImageFile),
)


def told_size(content: bytes) -> tuple[int, int] | None:
    """Width and height that a JPEG, PNG, WebP, BMP, PNM or TIFF claims; None for other formats, or
    if too damaged to tell."""
    if content.startswith(_PNG):
        told = _unpacked(">II", content, 16)
        return (told[0], told[1]) if told else None
    if content.startswith(_JPEG):
        return next((size for _, size in _segments(content) if size), None)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _size_of_webp(content)
    for start, opened in _BY_PILLOW:
        if re.match(start, content):
            try:
                with warnings.catch_warnings(action="ignore"):  # of truncated tags
                    return opened(BytesIO(content)).size
            except (OSError, SyntaxError, ValueError, struct.error):
                return None
    return None


def is_cut_short(content: bytes) -> bool:
    """Whether a JPEG is truncated; False for any other format."""
    return content.startswith(_JPEG) and all(
        marker != _END_OF_IMAGE for marker, _ in _segments(content)
    )


def _segments(content: bytes) -> Iterator[tuple[int, tuple[int, int] | None]]:
    """Markers of a JPEG up to its end, each with the size (width, height) that it gives, if any."""
    place = 2
    while found := _MARKER.search(content, place):
        marker = content[found.start() + 1]
        place = found.end()
        size = None
        if marker in _FRAMES and (told := _unpacked(">HH", content, place + 3)):
            size = told[1], told[0]
        yield marker, size
        if marker == _END_OF_IMAGE:
            return
        length = _unpacked(">H", content, place)
        if length is None:
            return
        place += length[0]


def _size_of_webp(content: bytes) -> tuple[int, int] | None:
    """See RFC 9649, 2.5 to 2.7."""
    match content[12:16]:
        case b"VP8X":
            sides = content[24:27], content[27:30]
            width, height = (int.from_bytes(side, "little") + 1 for side in sides)
            return width, height
        case b"VP8L" if bits := _unpacked("<I", content, 21):
            return (bits[0] & 0x3FFF) + 1, (bits[0] >> 14 & 0x3FFF) + 1
        case b"VP8 " if told := _unpacked("<HH", content, 26):
            return told[0] & 0x3FFF, told[1] & 0x3FFF
    return None


def _unpacked(form: str, content: bytes, place: int) -> tuple[int, ...] | None:
    try:
        return struct.unpack_from(form, content, place)
    except struct.error:
        return None
