"""Writing pictures through OpenImageIO: into a copy of the frame's own file, or a new one.

A frame of an EXR, DPX or TIFF sequence replaces the colour channels in a copy of its own file, so
that every other channel and part, both windows, the depth and the metadata stay.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from vidstyle.errors import MediaError
from vidstyle.media.oiio import LOSSY, Part, library, opened, overlap
from vidstyle.media.picture import Values

log = logging.getLogger(__name__)

_SAME = {".tif": ".tiff"}


@dataclass(frozen=True)
class Packing:
    """How files are written.

    Attributes:
        bits: per component of integers, where the format has a choice.
        rate: frames per second.
        timecode: SMPTE timecode of the picture; None if it has none.
        aspect: width of a pixel over its height.
        compression: one of :data:`vidstyle.media.oiio.COMPRESSIONS`; None for the source's,
            if it is lossless, or the format's usual one.
        space: interop ID or name of the pixels' colour space; None if it is not known.
        straight: colours are not multiplied by alpha, which TIFF states.
    """

    bits: int
    rate: Fraction
    timecode: str | None = None
    aspect: Fraction = Fraction(1)
    compression: str | None = None
    space: str | None = None
    straight: bool = False


def save(
    path: Path, pixels: Values, alpha: Values | None, origin: Path | None, packing: Packing
) -> None:
    """Write a picture.

    Args:
        path: its suffix is the format.
        pixels: (H, W, 3) ``uint8``, ``uint16`` or ``float32``.
        alpha: (H, W) of the same type, for a new file; a copy keeps its own.
        origin: the file that the picture came from; None for a new one.

    Raises:
        OSError: it cannot be written.
        MediaError: there is no such format, or ``origin`` cannot be read.
        UsageError: OpenImageIO is not installed.
    """
    content = _copy(pixels, origin, packing) if origin and _kind(origin) == _kind(path) else None
    if content is None:
        joined = pixels if alpha is None else np.dstack([pixels, alpha])
        content = [(_new_spec(path, joined, packing), joined)]
    _write(path, content)


def _copy(pixels: Values, origin: Path, packing: Packing) -> list[tuple[Any, Values]] | None:
    """All parts of ``origin`` with the pixels in place; None if it cannot hold them."""
    with opened(origin) as parts:
        place = parts.colour()
        if not _holds(place, pixels):
            return None
        return [
            (_copied(part.spec, packing), _values(part, pixels if part is place else None))
            for part in parts
        ]


def _kind(path: Path) -> str:
    suffix = path.suffix.lower()
    return _SAME.get(suffix, suffix)


def _holds(part: Part, pixels: Values) -> bool:
    """Whether a part's channels can take the pixels without loss: not those of a grey picture."""
    return len(part.colour) == 3 and (str(part.spec.format) in ("float", "half")) == (
        pixels.dtype == np.float32
    )


def _values(part: Part, pixels: Values | None) -> Values:
    values = part.values()
    if pixels is not None:
        on_display, in_data = overlap(part.spec)
        for number, channel in enumerate(part.colour):
            values[*in_data, channel] = pixels[*on_display, number]
    return values


def _copied(spec: Any, packing: Packing) -> Any:
    found = spec.get_string_attribute("compression").split(":")[0]
    if packing.compression is not None:
        spec["compression"] = packing.compression
    elif found in LOSSY:
        _tell_lossy(found)
        spec["compression"] = "zip"
    if packing.space not in (None, spec.get_string_attribute("oiio:ColorSpace")):
        for stale in ("chromaticities", "colorInteropID", "oiio:Gamma", "ICCProfile"):
            spec.erase_attribute(stale)
        spec["oiio:ColorSpace"] = packing.space
    return spec


@cache
def _tell_lossy(compression: str) -> None:
    log.warning(
        "%s would change the plate once more: zip takes its place; --codec %s keeps it",
        compression,
        compression,
    )


def _new_spec(path: Path, pixels: Values, packing: Packing) -> Any:
    oiio = library(path)
    height, width, channels = pixels.shape
    kinds = {np.dtype(np.uint8): oiio.UINT8, np.dtype(np.uint16): oiio.UINT16}
    kind = kinds.get(pixels.dtype, oiio.FLOAT)
    suffix = _kind(path)
    if suffix == ".exr":
        # Half precision has 2048 levels below white: enough for 10 bits, not for 12.
        exact = pixels.dtype == np.uint16 and packing.bits > 10
        kind = oiio.FLOAT if exact else oiio.HALF
    spec = oiio.ImageSpec(width, height, channels, kind)
    if suffix == ".dpx":
        spec["oiio:BitsPerSample"] = next(b for b in (8, 10, 12, 16) if b >= packing.bits)
        spec["oiio:Endian"] = "big"
    else:
        spec["compression"] = packing.compression or "zip"
    spec["PixelAspectRatio"] = float(packing.aspect)
    rate = packing.rate.limit_denominator(1001)
    spec.attribute("FramesPerSecond", oiio.TypeDesc("rational"), (rate.numerator, rate.denominator))
    packed = None if packing.timecode is None else _packed(packing.timecode)
    if packed is not None:
        spec.attribute("smpte:TimeCode", oiio.TypeDesc("timecode"), packed)
    elif packing.timecode is not None:
        _tell_left_out(suffix)
    if packing.space is not None:
        spec["oiio:ColorSpace"] = packing.space
    if packing.straight and suffix == ".tiff":
        spec["oiio:UnassociatedAlpha"] = 1
    return spec


def _packed(timecode: str) -> tuple[int, int] | None:
    """SMPTE 12M's binary coded decimals, and the drop-frame flag.

    Returns:
        None from frame 40 on: the tens of frames have two bits.
    """
    hours, minutes, seconds, frames = (int(number) for number in re.split("[:;.]", timecode))
    if frames >= 40:
        return None
    word = int(f"{hours:02}{minutes:02}{seconds:02}{frames:02}", 16)
    return word | (1 << 6 if ";" in timecode else 0), 0


@cache
def _tell_left_out(suffix: str) -> None:
    log.warning("%s holds no timecode from frame 40 of a second on: left out there", suffix)


def _write(path: Path, content: Sequence[tuple[Any, Values]]) -> None:
    oiio = library(path)
    out = oiio.ImageOutput.create(str(path))
    if out is None:
        raise MediaError(f"{path}: OpenImageIO cannot write such a file")
    specs = tuple(spec for spec, _ in content)
    done = False
    try:
        done = out.open(str(path), specs if len(specs) > 1 else specs[0])
        for number, (spec, values) in enumerate(content):
            if number:
                done = done and out.open(str(path), spec, "AppendSubimage")
            done = done and out.write_image(_requantised(values, spec))
    finally:
        # What comes last, such as an EXR's line table, is written here.
        done = out.close() and done
    if not done:
        raise OSError(0, str(out.geterror()).strip())
    _check_whole(path, len(content))


def _check_whole(path: Path, parts: int) -> None:
    """Read back the ends of a picture: libraries do not report what did not fit on closing.

    Raises:
        OSError: it is truncated.
    """
    oiio = library(path)
    back = oiio.ImageInput.open(str(path))
    if back is None:
        raise OSError(0, str(oiio.geterror()).strip())
    try:
        for part in range(parts):
            spec = back.spec(part, 0)
            # Lines may lie in either order, tiles in any.
            ends = (spec.y, spec.y + spec.height - 1)
            if spec.tile_width:
                found = [back.read_image(part, 0, 0, spec.nchannels, oiio.UNKNOWN)]
            else:
                found = [
                    back.read_scanlines(part, 0, y, y + 1, 0, 0, spec.nchannels, oiio.UNKNOWN)
                    for y in ends
                ]
            if any(values is None for values in found):
                raise OSError(0, str(back.geterror()).strip())
    finally:
        back.close()


def _requantised(values: Values, spec: Any) -> Values:
    """16-bit values rounded to the levels of fewer bits, since OpenImageIO truncates."""
    bits = spec.get_int_attribute("oiio:BitsPerSample")
    if values.dtype != np.uint16 or bits not in (10, 12):
        return np.ascontiguousarray(values)
    levels = (values.astype(np.uint32) * ((1 << bits) - 1) + 32767) // 65535
    return np.asarray(levels << (16 - bits) | levels >> (2 * bits - 16), np.uint16)
