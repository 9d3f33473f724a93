"""EXIF and colour profiles of pictures, carried from input to output."""

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from vidstyle.errors import MediaError
from vidstyle.media import oiio

_KINDS = (JpegImageFile, PngImageFile, TiffImageFile, WebPImageFile)

# A TIFF's own tags stand among those of EXIF: where its pixels lie, Photoshop's layers.
_OF_TIFF = {
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.Orientation,
    ExifTags.Base.XResolution,
    ExifTags.Base.YResolution,
    ExifTags.Base.ResolutionUnit,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
    ExifTags.IFD.Exif,
    ExifTags.IFD.GPSInfo,
}

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
        with _opened(path) as picture:
            exif, mode, profile = _exif(picture), picture.mode, picture.info.get("icc_profile")
    except (OSError, SyntaxError):
        # The error is reported by whoever reads its pixels.
        return Metadata()
    if mode == "CMYK":
        raise MediaError(f"{path}: in CMYK; convert it to RGB")
    if profile and profile[_SPACE] != b"RGB ":
        log.warning("%s: its colour profile is not of RGB and is left out", path)
        profile = None
    return Metadata(exif, profile or None)


def _opened(path: Path) -> ImageFile:
    """Not by Image.open, which refuses pictures of more than 179 megapixels."""
    for kind in _KINDS:
        with suppress(SyntaxError):  # of another kind
            return kind(path)
    raise UnidentifiedImageError(path)


def _exif(picture: ImageFile) -> bytes | None:
    exif = picture.getexif()
    if isinstance(picture, TiffImageFile):
        for tag in set(exif) - _OF_TIFF:
            del exif[tag]
    # OpenCV turns these upright on reading.
    if isinstance(picture, JpegImageFile) and ExifTags.Base.Orientation in exif:
        exif[ExifTags.Base.Orientation] = 1
    return _packed(exif) if len(exif) else None


def _packed(exif: Image.Exif) -> bytes:
    return exif.tobytes().removeprefix(b"Exif\0\0")
