"""Detect borders around a painting: black frames, white margins, mats.

A border is a strip of one colour along the picture's edge that ends in a straight line along the
whole of that edge. The straight line distinguishes it from a plain background, such as a sky or the
paper around a drawing, which ends irregularly and belongs to the picture.
"""

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.media.frame import Box

Pixels = NDArray[np.float32]

#: Largest deviation of a border pixel from its colour, in any channel: JPEG noise, uneven light.
TOLERANCE = 24 / 255

#: Fraction of a line's pixels that may deviate further, such as dust.
DUST = 0.02

#: Fraction that must deviate further where the border ends. Dark paintings contain much of a black
#: frame's colour. Lines of text in a margin have fewer such pixels.
EDGE = 0.33

#: Longest transition at a border's end, as a fraction of the edge's length, for pictures that hang
#: askew; and its minimum in pixels, for the blur of JPEG blocks.
SLANT, BLUR = 0.025, 8

#: The thinnest border, as a fraction of the picture's side and in pixels: thinner ones do no harm.
THINNEST, THINNEST_PIXELS = 0.005, 3

#: Fraction of the picture's height and width that must remain.
LEFT = 1 / 3

#: Number of lines sampled to decide whether a picture is plain.
SOME = 256

#: Borders within borders, such as a frame around a mat.
NESTED = 3

log = logging.getLogger(__name__)


def without_border(picture: Tensor, name: str) -> Tensor:
    """The part of a picture inside its border, see :func:`inside_border`; logs what was cropped.

    Args:
        picture: (3, H, W) RGB in [0, 1], on the CPU.
        name: the picture's file, for the log.

    Returns:
        A view of ``picture``.
    """
    inside = inside_border(picture.movedim(0, -1).numpy())
    height, width = picture.shape[1:]
    if inside != Box(0, 0, width, height):
        log.info(
            "cropped a border of %d pixels (left), %d (top), %d (right) and %d (bottom) from %s",
            *(inside.x0, inside.y0, width - inside.x1, height - inside.y1),
            name,
        )
    return picture[:, inside.rows, inside.columns]


def inside_border(picture: Pixels) -> Box:
    """The part of a picture inside its border, or inside several nested borders.

    At least two opposite sides must have a border of the same colour: a single plain strip may
    be a sky that ends at the horizon. A border is kept where too little of the picture would
    remain, or where the inside is as plain as the border.

    Args:
        picture: (H, W, 3) RGB in [0, 1].

    Returns:
        The whole picture where there is no border.
    """
    height, width = picture.shape[:2]
    inside = Box(0, 0, width, height)
    for _ in range(NESTED):
        cut = _cut(picture[inside.rows, inside.columns])
        smaller = Box(
            inside.x0 + cut.left, inside.y0 + cut.top, inside.x1 - cut.right, inside.y1 - cut.bottom
        )
        if smaller.width < LEFT * width or smaller.height < LEFT * height:
            break
        if smaller == inside or _is_plain(picture[smaller.rows, smaller.columns]):
            break
        inside = smaller
    return inside


@dataclass(frozen=True)
class _Strip:
    """A border along one side: its depth in lines and its colour (3,)."""

    depth: int
    colour: Pixels


@dataclass(frozen=True)
class _Cut:
    """Number of lines to remove from each side."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0


def _cut(picture: Pixels) -> _Cut:
    """The outermost border."""
    turned = picture.swapaxes(0, 1)
    top, bottom = _strip(picture), _strip(picture[::-1])
    left, right = _strip(turned), _strip(turned[::-1])
    for one, other in ((top, bottom), (left, right)):
        if one is None or other is None or not _alike(one.colour, other.colour):
            continue
        depths = [
            side.depth if side is not None and _alike(side.colour, one.colour) else 0
            for side in (top, bottom, left, right)
        ]
        return _Cut(*depths)
    return _Cut()


def _strip(lines: Pixels) -> _Strip | None:
    """The border along one edge of (N, L, 3) lines; ``lines[0]`` is the outermost."""
    count, length = lines.shape[:2]
    thinnest = max(THINNEST_PIXELS, round(THINNEST * count))
    colour = np.median(lines[:thinnest], axis=(0, 1))
    if np.median(_strange(lines[:thinnest], colour)) > DUST:
        return None  # as in most pictures; the rest need not be examined
    end = next((i for i in range(count // 2) if _strange(lines[i : i + 1], colour) > EDGE), 0)
    if end < thinnest:
        return None
    # A margin may contain lines of text, but must be plain again between them and the picture.
    plain = np.flatnonzero(_strange(lines[:end], colour) <= DUST)
    slow = max(BLUR, round(SLANT * length))
    if len(plain) < end / 2 or end - plain[-1] > slow:
        return None
    beyond = _strange(lines[end : end + slow], colour)
    end += int(np.argmax(beyond >= 0.9 * beyond.max()))
    return _Strip(end + 1, colour)  # the line at the end is a blend of both


def _strange(lines: Pixels, colour: Pixels) -> Pixels:
    """Fraction of each line's pixels that deviate from a colour: (N, L, 3) → (N,)."""
    far = (np.abs(lines - colour) > TOLERANCE).any(axis=2)
    return np.asarray(far.mean(axis=1), np.float32)


def _alike(one: Pixels, other: Pixels) -> bool:
    # Each may deviate by TOLERANCE from a colour in between.
    return bool(np.abs(one - other).max() <= 2 * TOLERANCE)


def _is_plain(picture: Pixels) -> bool:
    some = picture[:: max(1, len(picture) // SOME)]
    return bool(_strange(some, np.median(some, axis=(0, 1))).mean() <= DUST)
