"""Reading a matte from a picture: from its alpha, its values, one of its channels, or its labels.

Artists' tools write coverage: grey, or alpha, up to white. Annotation tools write labels, small
numbers or colours that identify an object: 0 and 1, a palette (DAVIS, Pascal VOC), red on black. A
single picture is sometimes ambiguous, so this is decided from several pictures of a sequence.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidstyle.errors import MediaError, UsageError
from vidstyle.media.picture import Values, has_channel, read_channel, read_palette, read_picture

logger = logging.getLogger(__name__)

Matte = NDArray[np.uint8]

SAMPLES = 9
"""Pictures of a sequence that are sampled to decide what its values mean."""

_MOST_LABELS = 32  # more distinct values indicate a soft edge
_DIM = 0.5  # of white: coverage that never exceeds it is seldom intended
_COLOURED = 1 / 16  # of white, between channels: less is JPEG's rounding
_LOSSY = 8  # levels of JPEG ringing in black and white next to an edge


@dataclass(frozen=True)
class StoredMatte:
    """A picture's values, before their meaning is known.

    Attributes:
        values: (H, W), the brightest channel, or indices of a palette.
        white: the value of white.
        alpha: (H, W), coverage on the same scale; None if there is none.
        labels: whether values are indices of a palette, and so certainly labels.
        coloured: whether channels differ.
    """

    values: Values
    white: float
    alpha: Values | None = None
    labels: bool = False
    coloured: bool = False

    @property
    def is_cutout(self) -> bool:
        """Whether there is an alpha that is not constant."""
        return self.alpha is not None and bool((self.alpha != self.alpha.flat[0]).any())


@dataclass(frozen=True)
class Meaning:
    """What the values of a sequence mean; see :func:`settled`.

    Attributes:
        white: the value of full coverage; None for labels, where any except 0 is the object.
        in_alpha: whether coverage is in alpha.
    """

    white: float | None
    in_alpha: bool = False

    def matte(self, stored: StoredMatte) -> Matte:
        """(H, W), 255 inside; floats are clipped to [0, 1]."""
        if self.in_alpha and stored.alpha is not None:
            return _coverage(stored.alpha, stored.white)
        if stored.labels or self.white is None:
            return np.where(stored.values > 0, np.uint8(255), np.uint8(0))
        return _coverage(stored.values, self.white)


class MatteReader:
    """Reads the pictures of one matte sequence, whose values all have the same meaning.

    Args:
        files: of the sequence.
        size: (H, W) of the clip.
        pick: name of a channel, or number of a label; None for alpha or values.
        origin: what the user named, for warnings; None for no warnings.
    """

    def __init__(
        self,
        files: Sequence[Path],
        size: tuple[int, int],
        pick: str | None = None,
        origin: str | None = None,
    ) -> None:
        self._files, self._size, self._pick, self._origin = files, size, pick, origin

    def __call__(self, path: Path) -> Matte:
        """The matte (H, W) of one file, 255 inside. Floats are clipped to [0, 1].

        Raises:
            MediaError: the file is missing, unreadable, not of the clip's size, or has no such
                channel.
            UsageError: a label is requested from a picture that has none, or the file requires the
                ``post`` extra, which is not installed.
        """
        matte = self._read(path)
        if matte.shape != self._size:
            raise MediaError(
                f"{path}: this matte has {matte.shape[1]}x{matte.shape[0]} pixels, the clip "
                f"{self._size[1]}x{self._size[0]}; give mattes of the clip's size"
            )
        return matte

    def _read(self, path: Path) -> Matte:
        if self._pick is not None:
            return _picked(path, self._pick)
        return self._meaning.matte(_stored(path))

    @cached_property
    def _meaning(self) -> Meaning:
        return settled(map(_stored, _spread(self._files)), self._origin)


def read_matte(path: Path, size: tuple[int, int], pick: str | None = None) -> Matte:
    """Read a single matte; arguments and errors as for :class:`MatteReader`."""
    return MatteReader([path], size, pick)(path)


def _spread(files: Sequence[Path]) -> list[Path]:
    """Some of the files, evenly spaced; then the others, in case these are empty."""
    count = min(SAMPLES, len(files))
    chosen = [files[i * (len(files) - 1) // max(1, count - 1)] for i in range(count)]
    return chosen + [file for file in files if file not in set(chosen)]


def settled(pictures: Iterable[StoredMatte], origin: str | None = None) -> Meaning:
    """Infer what the values mean, from the first pictures, and more while these are empty.

    Args:
        origin: what the user named, for warnings; None for no warnings.
    """
    brightest = white = 0.0
    coloured = integers = palette = False
    distinct: set[float] = set()
    for number, stored in enumerate(pictures):
        if stored.is_cutout:
            return Meaning(stored.white, in_alpha=True)
        white, palette = max(white, stored.white), palette or stored.labels
        coloured = coloured or stored.coloured
        integers = integers or stored.values.dtype == np.uint16
        brightest = max(brightest, float(stored.values.max()))
        if len(distinct) <= _MOST_LABELS:
            distinct |= {float(value) for value in np.unique(stored.values) if value > 0}
        if number + 1 >= SAMPLES and distinct:
            break
    few = 0 < len(distinct) <= _MOST_LABELS
    if integers and brightest <= 255:
        white = 255  # 8 bits, stored as 16
    small = brightest * 255 <= _MOST_LABELS * white
    identifiers = integers and white > 255 and brightest < _DIM * white
    labels = few and brightest < white and (coloured or small or identifiers)
    if palette or labels:
        _tell_labels(origin, distinct, numbers=palette or not coloured)
        return Meaning(None)
    if coloured and brightest:
        return Meaning(brightest)  # the colour identifies the object, its brightness is coverage
    if origin and 0 < brightest < _DIM * white:
        logger.warning(
            "%s: the brightest value is %.0f%% of white, so the style is that weak; "
            "if that is not meant, scale the mattes to white",
            origin,
            100 * brightest / white,
        )
    return Meaning(white)


def _tell_labels(origin: str | None, distinct: set[float], *, numbers: bool) -> None:
    if not origin or not distinct:
        return
    if not numbers or len(distinct) == 1:
        logger.info(
            "%s: labels, all that is not %s is the object", origin, "0" if numbers else "black"
        )
        return
    told = ", ".join(f"{value:.0f}" for value in sorted(distinct)[:8])
    more = ", …" if len(distinct) > 8 else ""
    logger.warning(
        "%s: labels %s%s, all but 0 is the object; choose one by #%d",
        origin,
        told,
        more,
        max(distinct),
    )


def stored_matte(pixels: Values, alpha: Values | None) -> StoredMatte:
    """From a decoded picture (H, W, 3) and its alpha (H, W), if any."""
    brightest, least = pixels.max(axis=2), pixels.min(axis=2)
    white = _white(pixels)
    coloured = (brightest.astype(np.float32) - least > _COLOURED * white).any()
    return StoredMatte(brightest, white, alpha, coloured=bool(coloured))


def _stored(path: Path) -> StoredMatte:
    palette = read_palette(path)
    if palette is not None:
        indices, colours = palette
        alpha = colours[indices, 3]
        if (colours[:, :3] != colours[:, :1]).any():
            return StoredMatte(indices, 255, alpha, labels=True)
        return StoredMatte(colours[indices, 0], 255, alpha)
    picture = read_picture(path)
    stored = stored_matte(picture.pixels, picture.alpha)
    if path.suffix.lower() in (".jpg", ".jpeg"):
        return replace(stored, values=_without_ringing(stored.values))
    return stored


def _without_ringing(values: Values) -> Values:
    """Restore black and white from before JPEG: otherwise everything nearly black is painted."""
    stretched = (values.astype(np.float32) - _LOSSY) * (255 / (255 - 2 * _LOSSY))
    return np.asarray(np.rint(stretched.clip(0, 255)), np.uint8)


def _picked(path: Path, pick: str) -> Matte:
    """A channel; falls back to a label if no channel has that name and it is a number."""
    if not pick.isdecimal() or has_channel(path, pick):
        channel = read_channel(path, pick)
        return _coverage(channel, _white(channel))
    palette = read_palette(path)
    if palette is not None:
        labels: Values = palette[0]
    else:
        pixels = read_picture(path).pixels
        labels = pixels[..., 0]
        if (pixels != labels[..., None]).any():
            raise UsageError(
                f"{path}: no palette and not grey, so it has no label {pick}; leave #{pick} out, "
                "or give pictures whose values are the labels"
            )
    return np.where(np.rint(labels) == int(pick), np.uint8(255), np.uint8(0))


def _white(values: Values) -> float:
    return float(np.iinfo(values.dtype).max) if values.dtype.kind == "u" else 1.0


def _coverage(values: Values, white: float) -> Matte:
    """Coverage in 8 bits."""
    if values.dtype == np.uint8 and white == 255:
        return np.ascontiguousarray(values)
    if values.dtype == np.uint16 and white == 65535:
        return np.asarray((values.astype(np.uint32) + 128) // 257, np.uint8)
    share = np.nan_to_num(values.astype(np.float32)) / np.float32(white)
    return np.asarray(np.rint(share.clip(0, 1) * 255), np.uint8)
