"""Reading and writing image sequences: one picture file per frame, numbered in its name."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import torch

from vidstyle.errors import MediaError, UsageError
from vidstyle.media.frame import Frame, full_scale
from vidstyle.media.pattern import NumberedFile, is_pattern, numbered, pictures
from vidstyle.media.picture import Picture, has_straight_alpha, read_picture
from vidstyle.media.video.clip import ClipInfo, ClipWriter, Damage
from vidstyle.media.video.colour import PICTURE_TAGS
from vidstyle.media.video.repack import Packing, save
from vidstyle.media.video.timecodes import advanced
from vidstyle.runtime.atomic import in_the_making

log = logging.getLogger(__name__)

SEQUENCE_RATE = Fraction(24)
"""Frames per second of pictures that state none."""

_ENCODER_OPTIONS = {
    ".png": [],
    # Chroma at full size: the default halves it, which shows along a matte's edge.
    ".jpg": [
        *(cv2.IMWRITE_JPEG_QUALITY, 95),
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    ],
}
_ENCODER_OPTIONS[".jpeg"] = _ENCODER_OPTIONS[".jpg"]


class SequenceReader:
    """A numbered sequence, a folder of pictures, or one picture."""

    def __init__(self, source: str, rate: Fraction | None = None) -> None:
        """Raises MediaError when there is no picture, or the first cannot be read.

        Args:
            source: what to read.
            rate: frames per second; None for the pictures' own, or :data:`SEQUENCE_RATE`.
        """
        self._files = pictures(source)
        self.damage = Damage()  # a damaged picture ends the run
        self.info = _describe(source, self._files, rate)
        self._warn_of_gaps()

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """See :class:`~vidstyle.media.video.clip.ClipReader`. ``pts`` is the number in the name, so
        gaps in the numbering are gaps in time; ``index`` counts existing files."""
        stop = len(self._files) if stop is None else min(stop, len(self._files))
        for index in range(start, stop):
            file = self._files[index]
            picture = self._read(file.path)
            yield Frame(
                torch.from_numpy(picture.pixels),
                index,
                file.number,
                self.info.time_base,
                alpha=None if picture.alpha is None else torch.from_numpy(picture.alpha),
                origin=file.path,
            )

    def _read(self, path: Path) -> Picture:
        picture = read_picture(path)
        found = (*picture.pixels.shape[:2], picture.bits)
        expected = (*self.info.size, self.info.bits)
        if found != expected:
            raise MediaError(
                f"{path}: {found[1]}×{found[0]} at {found[2]} bits, the first picture is "
                f"{expected[1]}×{expected[0]} at {expected[2]}; make them all alike"
            )
        return picture

    def _warn_of_gaps(self) -> None:
        numbers = [file.number for file in self._files]
        missing = sorted(set(range(numbers[0], numbers[-1])) - set(numbers))
        if missing:
            shown = ", ".join(map(str, missing[:5])) + (", …" if len(missing) > 5 else "")
            log.warning("%s: pictures missing (%d): %s", self.info.path, len(missing), shown)


def describe_sequence(source: str) -> ClipInfo:
    """Properties of a sequence, from its first picture.

    Raises:
        MediaError: there is no picture, or the first cannot be read.
    """
    return SequenceReader(source).info


def _describe(source: str, files: list[NumberedFile], told: Fraction | None) -> ClipInfo:
    picture = read_picture(files[0].path)
    rate = told or picture.rate or SEQUENCE_RATE
    return ClipInfo(
        path=source,
        width=picture.pixels.shape[1],
        height=picture.pixels.shape[0],
        rate=rate,
        time_base=1 / rate,
        start_pts=files[0].number,
        frame_count=len(files),
        duration=len(files) / rate,
        codec=files[0].path.suffix.lower().lstrip("."),
        pix_fmt=_PIX_FMT[picture.pixels.dtype.name],
        bits=picture.bits,
        colour=PICTURE_TAGS,
        sample_aspect=picture.aspect,
        timecode=picture.timecode,
        alpha=picture.alpha is not None,
        is_float=picture.pixels.dtype == np.float32,
        space=picture.space,
        is_sequence=True,
        numbers=tuple(file.number for file in files),
    )


# What FFmpeg calls the pixels, by NumPy's name of their type.
_PIX_FMT = {"uint8": "rgb24", "uint16": "rgb48le", "float32": "gbrpf32le"}


class SequenceWriter(ClipWriter):
    """Writes one picture per frame; each appears complete under its name, or not at all.

    The number in the name is the source's own if that is a sequence too, else the frame's index.
    Frames already written remain after ``abort``.
    """

    def __init__(self, target: str, info: ClipInfo, compression: str | None = None) -> None:
        """The target's folder and kind are checked by ``open_writer``.

        Args:
            target: a pattern, or one picture.
            info: of the source clip.
            compression: one of :data:`vidstyle.media.oiio.COMPRESSIONS`; None for the source's own.
        """
        self._target = target
        self._info = info
        self._compression = compression
        self._written = 0

    @property
    def wants_straight(self) -> bool:
        """Whether its format has straight alpha by its standard."""
        return Path(self._target).suffix.lower() == ".png"

    def write(self, frame: Frame) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`."""
        if frame.size != self._info.size:
            raise UsageError(f"{self._target}: frame {frame.index} has another size, {frame.size}")
        if self._written and not is_pattern(self._target):
            raise UsageError(
                f"{self._target}: one picture cannot hold a clip; "
                "name a pattern such as shot.####.png or a video file"
            )
        number = frame.pts if self._info.is_sequence else frame.index
        self._save(frame, numbered(self._target, number))
        self._written += 1

    def commit(self) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`."""

    def abort(self) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`."""

    def _save(self, frame: Frame, path: Path) -> None:
        encode = self._encode if path.suffix.lower() in _ENCODER_OPTIONS else self._repack
        with in_the_making(path, by_suffix=True) as partial:
            encode(frame, partial)

    def _encode(self, frame: Frame, path: Path) -> None:
        suffix = path.suffix.lower()
        pixels = cv2.cvtColor(frame.image.numpy(), cv2.COLOR_RGB2BGR)
        if suffix == ".png" and frame.alpha is not None:
            pixels = np.dstack([pixels, frame.alpha.numpy()])
        if suffix != ".png" and pixels.dtype == np.uint16:
            if self._written == 0:
                log.info("%s: JPEG holds 8 bits, the frames' 16 are rounded", self._target)
            pixels = cv2.convertScaleAbs(pixels, alpha=1 / 257)
        path.write_bytes(cv2.imencode(suffix, pixels, _ENCODER_OPTIONS[suffix])[1].tobytes())

    def _repack(self, frame: Frame, path: Path) -> None:
        info = self._info
        timecode = info.timecode and advanced(info.timecode, info.rate, frame.index)
        straight = is_straight(frame) is True
        if straight and path.suffix.lower() == ".exr":
            frame = _multiplied(frame)
        packing = Packing(
            info.bits,
            info.rate,
            timecode,
            info.sample_aspect,
            self._compression,
            info.space,
            straight,
        )
        alpha = None if frame.alpha is None else frame.alpha.numpy()
        save(path, frame.image.numpy(), alpha, frame.origin, packing)


def is_straight(frame: Frame) -> bool | None:
    """Whether colours are not multiplied by alpha; None if that is not known, as of movies."""
    if frame.premultiplied:
        return False
    if frame.alpha is None or frame.origin is None:
        return None
    return has_straight_alpha(frame.origin)


def _multiplied(frame: Frame) -> Frame:
    """With colours multiplied by alpha, of integers in 16 bits: 8 leave soft edges few levels."""
    assert frame.alpha is not None
    white = full_scale(frame.alpha.dtype)
    colours = frame.image.float() * (frame.alpha.float() / white)[..., None]
    if frame.image.dtype.is_floating_point:
        return replace(frame, image=colours, premultiplied=True)
    image, alpha = (
        (codes.float() * (65535 / white)).round_().int().to(torch.uint16)
        for codes in (colours, frame.alpha)
    )
    return replace(frame, image=image, alpha=alpha, premultiplied=True)
