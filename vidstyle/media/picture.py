"""Picture files: their contents, and reading them by OpenCV or OpenImageIO (``post`` extra)."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from vidstyle.errors import MediaError
from vidstyle.media import oiio
from vidstyle.media.access import readable
from vidstyle.media.limits import check_size
from vidstyle.media.picture_header import is_cut_short, told_size

Values = NDArray[Any]
"""Code values: ``uint8`` or ``uint16`` at full range, or ``float32`` as stored in the file."""

# These can hold alpha; OpenCV applies EXIF orientation only to the others.
_WITH_ALPHA = (".png", ".webp", ".tif", ".tiff")


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Attributes:
        pixels: (H, W, 3) RGB of the display window; ``uint8``, ``uint16`` or ``float32``.
        alpha: (H, W), as stored in the file; None if it has none.
        bits: per component, as stored: 10 in a 10-bit DPX, whose pixels come as ``uint16``.
        space: colour space stated in the file; None if it states none.
        rate: frames per second, as stated in the file.
        timecode: SMPTE timecode, as stated in the file.
        aspect: width of a pixel over its height.
    """

    pixels: Values
    alpha: Values | None
    bits: int
    space: str | None = None
    rate: Fraction | None = None
    timecode: str | None = None
    aspect: Fraction = Fraction(1)


@readable()
def read_picture(path: Path) -> Picture:
    """Read a picture file; grey is copied to three channels.

    Raises:
        MediaError: the file is missing, damaged, or of an unsupported format.
        UsageError: it needs the ``post`` extra, which is not installed.
    """
    if not oiio.reads(path):
        return _by_opencv(path)
    with oiio.opened(path) as parts:
        part = parts.colour()
        header = part.header
        values = part.display(part.colour)
        alpha = part.display(part.alpha)[..., 0] if part.alpha else None
    if values.shape[2] < 3:
        values = np.repeat(values[..., :1], 3, axis=2)
    return Picture(
        values, alpha, header.bits, header.space, header.rate, header.timecode, header.aspect
    )


@readable()
def read_channel(path: Path, name: str) -> Values:
    """One channel of a picture by its name (``mask``, ``crypto.R``): (H, W) of the display window.

    Raises:
        MediaError: the file is missing, damaged, or has no such channel.
        UsageError: as for :func:`read_picture`.
    """
    with oiio.opened(path) as parts:
        part = parts.holding(name)
        return part.display([part.names.index(name)])[..., 0]


@readable()
def has_channel(path: Path, name: str) -> bool:
    """Whether a picture has a channel of that name; False for formats without channel names."""
    if not oiio.reads(path):
        return False
    with oiio.opened(path) as parts:
        return any(name in part.names for part in parts)


@readable()
def has_straight_alpha(path: Path) -> bool:
    """Whether the colours of a picture with alpha are not multiplied by it: PNG's never are, EXR's
    are, and TIFF says which.

    Raises:
        MediaError: the file is missing or damaged.
    """
    if not oiio.reads(path):
        return True
    with oiio.opened(path) as parts:
        return bool(parts.colour().spec.get_int_attribute("oiio:UnassociatedAlpha"))


@readable()
def read_palette(path: Path) -> tuple[Values, Values] | None:
    """A PNG's palette indices (H, W) ``uint8`` and its colours (256, 4) ``uint8`` RGBA; None for a
    picture without a palette.

    Raises:
        MediaError: the file is damaged.
    """
    if path.suffix.lower() != ".png" or not path.is_file():
        return None
    try:
        # Not Image.open, which has limits of its own.
        with PngImageFile(path) as picture:
            check_size(path, *picture.size)
            if picture.mode != "P":
                return None
            indices = np.asarray(picture)
            picture.apply_transparency()
            colours = np.array(picture.getpalette("RGBA"), np.uint8).reshape(-1, 4)
            return indices, np.pad(colours, ((0, 256 - len(colours)), (0, 0)))
    except SyntaxError:  # not a PNG, despite its name
        return None
    except (OSError, ValueError) as error:
        raise MediaError(f"{path}: damaged ({error}); export it again") from None


def read_by_opencv(path: Path, flags: int) -> Values:
    """Like ``cv2.imread``, but without allocating memory for more pixels than are allowed.

    Raises:
        MediaError: the file is missing, damaged, not a picture, or too large.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror}); check the name") from None
    return _decoded(path, content, flags)


def _decoded(path: Path, content: bytes, flags: int) -> Values:
    size = told_size(content)
    if size is not None:
        check_size(path, *size)
    try:
        values = cv2.imdecode(np.frombuffer(content, np.uint8), flags) if content else None
    except cv2.error as error:
        raise MediaError(f"{path}: cannot be read ({error.err}); export it again") from None
    if values is None:
        raise MediaError(f"{path}: not a picture, or a damaged one; export it again")
    return np.asarray(values)


def _by_opencv(path: Path) -> Picture:
    alpha_too = path.suffix.lower() in _WITH_ALPHA
    flags = cv2.IMREAD_UNCHANGED if alpha_too else cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    if not path.is_file():
        raise MediaError(f"{path}: missing; check the name")
    content = path.read_bytes()
    if is_cut_short(content):
        raise MediaError(f"{path}: truncated; copy or export it again")
    stored = _decoded(path, content, flags)
    check_size(path, stored.shape[1], stored.shape[0])
    if stored.dtype not in (np.uint8, np.uint16):
        raise MediaError(f"{path}: {stored.dtype} pixels; convert it to 8 or 16 bits")
    grey = stored.ndim == 2
    rgb = cv2.cvtColor(stored if grey else stored[..., :3], _TO_RGB[grey])
    alpha = None if grey or stored.shape[2] < 4 else np.ascontiguousarray(stored[..., 3])
    return Picture(np.asarray(rgb), alpha, stored.dtype.itemsize * 8)


_TO_RGB = {True: cv2.COLOR_GRAY2RGB, False: cv2.COLOR_BGR2RGB}
