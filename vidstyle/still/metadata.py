"""EXIF and colour profiles of pictures, carried from input to output."""

import logging
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError

from vidstyle.errors import MediaError
from vidstyle.media import oiio

# OpenCV rotates these upright on reading, according to EXIF.
_TURNED = ("JPEG", "MPO")

# The profile's header names its colour space in bytes 16 to 20 (ICC.1:2022, 7.2.6).
_SPACE = slice(16, 20)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Metadata:
    """A picture file's metadata.

    Attributes:
        exif: a TIFF structure, as stored in a file after ``Exif\\0\\0``; None without EXIF.
        profile: an RGB ICC profile; None means sRGB.
    """

    exif: bytes | None = None
    profile: bytes | None = None

    def noted(self, note: str) -> "Metadata":
        """A copy with a note as the picture's description (EXIF ``ImageDescription``)."""
        exif = Image.Exif()
        if self.exif is not None:
            exif.load(self.exif)
        exif[ExifTags.Base.ImageDescription] = note
        return replace(self, exif=_packed(exif))


def read_metadata(path: Path) -> Metadata:
    """Metadata of a picture read upright, without the camera's preview, which shows the plate.

    Raises:
        MediaError: the picture is damaged, or in CMYK.
    """
    if path.suffix.lower() in oiio.ONLY_HERE:
        return Metadata()
    try:
        with warnings.catch_warnings():
            # Only the header is read here.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                exif, mode, kind = picture.getexif(), picture.mode, picture.format
                profile = picture.info.get("icc_profile")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError):
        # The error is reported by whoever reads its pixels.
        return Metadata()
    if mode == "CMYK":
        raise MediaError(f"{path}: in CMYK; convert it to RGB")
    if profile and profile[_SPACE] != b"RGB ":
        log.warning("%s: its colour profile is not of RGB and is left out", path)
        profile = None
    if kind in _TURNED and ExifTags.Base.Orientation in exif:
        exif[ExifTags.Base.Orientation] = 1
    return Metadata(_packed(exif) if len(exif) else None, profile or None)


def _packed(exif: Image.Exif) -> bytes:
    return exif.tobytes().removeprefix(b"Exif\0\0")
