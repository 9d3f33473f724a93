"""OpenImageIO: EXR, DPX and TIFF unaltered, with all their channels, windows and metadata.

The only module that imports it; the ``post`` extra installs it.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidstyle.errors import MediaError, UsageError
from vidstyle.media.limits import check_size

log = logging.getLogger(__name__)

ONLY_HERE = (".exr", ".dpx")
"""Formats that nothing else reads."""

_KINDS = (*ONLY_HERE, ".tif", ".tiff")

# Compressions that change pixels each time they are written.
LOSSY = {"b44", "b44a", "dwaa", "dwab", "pxr24", "jpeg"}

COMPRESSIONS = {
    ".exr": ("none", "rle", "zips", "zip", "piz", "pxr24", "b44", "b44a", "dwaa", "dwab"),
    ".tif": ("none", "lzw", "zip"),
    ".tiff": ("none", "lzw", "zip"),
}
"""Compressions available by suffix; the first is none."""


def reads(path: Path) -> bool:
    """Whether a picture goes through OpenImageIO: EXR and DPX always, TIFF if it is installed."""
    suffix = path.suffix.lower()
    return suffix in ONLY_HERE or (suffix in _KINDS and find_spec("OpenImageIO") is not None)


def library(what: object) -> Any:
    """The module ``OpenImageIO``.

    Raises:
        UsageError: it is not installed; the message names ``what`` it is needed for.
    """
    try:
        return import_module("OpenImageIO")
    except ImportError:
        raise UsageError(
            f"{what}: needs OpenImageIO; install it: pip install 'vidstyle[post]'"
        ) from None


@dataclass(frozen=True)
class Header:
    """Metadata of a part; see :class:`vidstyle.media.picture.Picture`."""

    bits: int
    space: str | None
    rate: Fraction | None
    timecode: str | None
    aspect: Fraction


class Part:
    """One part of an opened file (EXR files may have several)."""

    def __init__(self, path: Path, source: Any, number: int) -> None:
        self._path, self._source, self._number = path, source, number
        self.spec = source.spec(number)
        self.names: list[str] = list(self.spec.channelnames)
        # The data window, and the display window that it is placed in.
        check_size(path, self.spec.width, self.spec.height)
        check_size(path, self.spec.full_width, self.spec.full_height)

    @cached_property
    def colour(self) -> list[int]:
        """Colour channels: three, or one if grey; none if there is no picture."""
        by_name = {name.upper(): number for number, name in enumerate(self.names)}
        for wanted in (("R", "G", "B"), ("Y",)):
            if all(name in by_name for name in wanted):
                return [by_name[name] for name in wanted]
        return [0] if len(self.names) == 1 else []

    @property
    def alpha(self) -> list[int]:
        """The alpha channel, or none."""
        return [self.spec.alpha_channel] if self.spec.alpha_channel >= 0 else []

    @property
    def header(self) -> Header:
        spec = self.spec
        stored = spec.format if not spec.channelformats else spec.channelformats[self.colour[0]]
        return Header(
            spec.get_int_attribute("oiio:BitsPerSample") or stored.size() * 8,
            spec.get_string_attribute("oiio:ColorSpace") or None,
            _rate(spec),
            spec.get_string_attribute("smpte:TimeCode") or None,
            Fraction(spec.get_float_attribute("PixelAspectRatio", 1.0)).limit_denominator(1000),
        )

    def values(self) -> NDArray[Any]:
        """(h, w, channels) of the data window: integers as they are, floats as ``float32``.

        Where a channel holds 32-bit integers (identifiers), all come as ``float64``, which is
        exact.
        """
        return self._read(0, len(self.names))

    def display(self, channels: Sequence[int]) -> NDArray[Any]:
        """(H, W, len(channels)) of the display window, black where there is no data."""
        spec = self.spec
        first, last = min(channels), max(channels) + 1
        data = self._read(first, last)[..., [channel - first for channel in channels]]
        window = spec.x - spec.full_x, spec.y - spec.full_y, spec.width, spec.height
        if window == (0, 0, spec.full_width, spec.full_height):
            return np.ascontiguousarray(data)
        full = np.zeros((spec.full_height, spec.full_width, len(channels)), data.dtype)
        on_display, in_data = overlap(spec)
        full[on_display] = data[in_data]
        return full

    def _read(self, first: int, last: int) -> NDArray[Any]:
        oiio = library(self._path)
        types = self.spec.channelformats[first:last] or [self.spec.format]
        values = self._source.read_image(
            self._number, 0, first, last, _exact(oiio, types, self._path)
        )
        if values is None:
            raise MediaError(f"{self._path}: damaged ({self._source.geterror()}); export it again")
        array: NDArray[Any] = values.reshape(self.spec.height, self.spec.width, last - first)
        return array


class Parts:
    """An opened file."""

    def __init__(self, path: Path, source: Any) -> None:
        self._path = path
        self._parts: list[Part] = []
        while source.seek_subimage(len(self._parts), 0):
            self._parts.append(Part(path, source, len(self._parts)))

    def __iter__(self) -> Iterator[Part]:
        return iter(self._parts)

    def colour(self) -> Part:
        """The first part in RGB; if there is none, the first grey one.

        Raises:
            MediaError: no part holds a picture.
        """
        for channels in (3, 1):
            for part in self._parts:
                if len(part.colour) == channels:
                    return part
        raise MediaError(f"{self._path}: no channels R, G, B or Y, only {self._told()}")

    def holding(self, channel: str) -> Part:
        """The first part with a channel of that name.

        Raises:
            MediaError: there is none.
        """
        for part in self._parts:
            if channel in part.names:
                return part
        raise MediaError(f"{self._path}: no channel {channel!r}; it has {self._told()}")

    def _told(self) -> str:
        return ", ".join(name for part in self._parts for name in part.names)


@contextmanager
def opened(path: Path) -> Iterator[Parts]:
    """Open a file for reading.

    Raises:
        MediaError: the file is missing, damaged, or holds deep pixels.
        UsageError: OpenImageIO is not installed.
    """
    oiio = library(path)
    if not path.is_file():
        raise MediaError(f"{path}: missing; check the name")
    hints = oiio.ImageSpec()
    # Alpha and colour come as stored in the file.
    hints["oiio:UnassociatedAlpha"] = 1
    source = oiio.ImageInput.open(str(path), hints)
    try:
        if source is None:
            why = str(oiio.geterror()).strip().splitlines()
            raise MediaError(
                f"{path}: not a picture, or a damaged one ({why[0] if why else 'unknown format'}); "
                "export it again"
            )
        if source.spec().deep:
            raise MediaError(f"{path}: deep pixels; flatten them first")
        yield Parts(path, source)
    except UnicodeDecodeError:  # of a name in the file, or in what is said of it
        raise MediaError(
            f"{path}: a damaged picture (its channel names are not text); export it again"
        ) from None
    finally:
        if source is not None:
            source.close()


def overlap(spec: Any) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where data and display window overlap: (rows, columns) of the display, and of the data."""
    on_display, in_data = [], []
    for data, extent, full, side in (
        (spec.y, spec.height, spec.full_y, spec.full_height),
        (spec.x, spec.width, spec.full_x, spec.full_width),
    ):
        start, stop = max(data, full), max(min(data + extent, full + side), max(data, full))
        on_display.append(slice(start - full, stop - full))
        in_data.append(slice(start - data, stop - data))
    return (on_display[0], on_display[1]), (in_data[0], in_data[1])


def _exact(oiio: Any, types: Sequence[Any], path: Path) -> Any:
    """The smallest type that holds all of ``types`` exactly."""
    kinds = {str(kind) for kind in types}
    if "double" in kinds:
        raise MediaError(f"{path}: 64-bit pixels; convert it to 32-bit float")
    if kinds & {"uint", "int"}:
        return oiio.DOUBLE
    if kinds <= {"uint8"}:
        return oiio.UINT8
    return oiio.UINT16 if kinds <= {"uint8", "uint16"} else oiio.FLOAT


def _rate(spec: Any) -> Fraction | None:
    """The first rate stated that can be one: unset fields may hold anything, n/0 and infinity
    too."""
    for name in ("FramesPerSecond", "dpx:FrameRate", "dpx:TemporalFrameRate"):
        value = spec.get(name, 0)
        count, seconds = value if isinstance(value, tuple) else (value, 1)
        if seconds and 1 <= count / seconds <= 1000:
            return (Fraction(count) / Fraction(seconds)).limit_denominator(1001)
    return None
