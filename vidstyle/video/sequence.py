"""Image sequences in and out: one picture file a frame, numbered in its name."""

import logging
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import torch

from vidstyle.errors import MediaError, UsageError
from vidstyle.frame import Frame
from vidstyle.video.clip import ClipInfo, ClipWriter
from vidstyle.video.colour import PICTURE_TAGS, Pixels
from vidstyle.video.pattern import NumberedFile, is_pattern, numbered, pictures

log = logging.getLogger(__name__)

SEQUENCE_RATE = Fraction(24)
"""Frames per second of pictures, which carry none."""

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

    def __init__(self, source: str, rate: Fraction = SEQUENCE_RATE) -> None:
        """Raises MediaError when there is no picture, or the first cannot be read."""
        self._files = pictures(source)
        self.info = _describe(source, self._files, rate)
        self._warn_of_gaps()

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """See :class:`~vidstyle.video.clip.ClipReader`. ``pts`` is the number in the name, so
        gaps in the numbering are gaps in time; ``index`` counts the files there are."""
        stop = len(self._files) if stop is None else min(stop, len(self._files))
        for index in range(start, stop):
            file = self._files[index]
            image = torch.from_numpy(self._read(file.path))
            yield Frame(image, index, file.number, self.info.time_base)

    def _read(self, path: Path) -> Pixels:
        pixels = _read_rgb(path)
        found = (*pixels.shape[:2], pixels.dtype.itemsize * 8)
        expected = (*self.info.size, self.info.bits)
        if found != expected:
            raise MediaError(
                f"{path}: {found[1]}×{found[0]} at {found[2]} bits, the first picture is "
                f"{expected[1]}×{expected[0]} at {expected[2]}; make them all alike"
            )
        return pixels

    def _warn_of_gaps(self) -> None:
        numbers = [file.number for file in self._files]
        missing = sorted(set(range(numbers[0], numbers[-1])) - set(numbers))
        if missing:
            shown = ", ".join(map(str, missing[:5])) + (", …" if len(missing) > 5 else "")
            log.warning("%s: pictures missing (%d): %s", self.info.path, len(missing), shown)


def describe_sequence(source: str) -> ClipInfo:
    """What a sequence holds, by its first picture.

    Raises:
        MediaError: there is no picture, or the first cannot be read.
    """
    return SequenceReader(source).info


def _describe(source: str, files: list[NumberedFile], rate: Fraction) -> ClipInfo:
    pixels = _read_rgb(files[0].path)
    deep = pixels.dtype == np.uint16
    return ClipInfo(
        path=source,
        width=pixels.shape[1],
        height=pixels.shape[0],
        rate=rate,
        time_base=1 / rate,
        start_pts=files[0].number,
        frame_count=len(files),
        duration=len(files) / rate,
        codec=files[0].path.suffix.lower().lstrip("."),
        pix_fmt="rgb48le" if deep else "rgb24",
        bits=16 if deep else 8,
        colour=PICTURE_TAGS,
        is_sequence=True,
    )


def _read_rgb(path: Path) -> Pixels:
    """(H, W, 3) RGB, turned as EXIF tells; grey spread over three channels, alpha dropped."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if pixels is None:
        raise MediaError(f"{path}: not a picture, or a damaged one; export it again")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise MediaError(f"{path}: {pixels.dtype} pixels; convert it to 8 or 16 bits")
    rgb: Pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), dtype=pixels.dtype)
    return rgb


class SequenceWriter(ClipWriter):
    """Writes one picture a frame; each appears whole, under its name, or not at all.

    The number in the name is the source's own where that is a sequence too, else the frame's
    index. Frames that were written stay after ``abort``.
    """

    def __init__(self, target: str, info: ClipInfo) -> None:
        """The target's folder and kind are checked by ``open_writer``."""
        self._target = target
        self._info = info
        self._written = 0

    def write(self, frame: Frame) -> None:
        """See :class:`~vidstyle.video.clip.ClipWriter`."""
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
        """See :class:`~vidstyle.video.clip.ClipWriter`."""

    def abort(self) -> None:
        """See :class:`~vidstyle.video.clip.ClipWriter`."""

    def _save(self, frame: Frame, path: Path) -> None:
        suffix = path.suffix.lower()
        pixels = cv2.cvtColor(frame.image.numpy(), cv2.COLOR_RGB2BGR)
        if suffix != ".png" and pixels.dtype == np.uint16:
            if self._written == 0:
                log.info("%s: JPEG holds 8 bits, the frames' 16 are rounded", self._target)
            pixels = cv2.convertScaleAbs(pixels, alpha=1 / 257)
        encoded = cv2.imencode(suffix, pixels, _ENCODER_OPTIONS[suffix])[1]
        partial = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
        try:
            with partial.open("wb") as opened:
                opened.write(encoded.tobytes())
                opened.flush()
                os.fsync(opened.fileno())
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise MediaError(
                f"{path}: cannot be written ({error.strerror}); free the disk"
            ) from None
