"""Between a codec's YUV and the pipeline's RGB, by the matrix and range of the clip's tags.

Numbers in tags are the code points of ITU-T H.273, which FFmpeg uses too: matrix 1 is BT.709,
5 and 6 are BT.601, 9 is BT.2020; range 1 is limited ("MPEG"), 2 is full ("JPEG").
"""

import logging
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import av
import numpy as np
import torch
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray
from torch import Tensor

log = logging.getLogger(__name__)

Pixels = NDArray[np.unsignedinteger[Any]]
"""A picture as an array: (H, W, 3) RGB, ``uint8`` or ``uint16``, full range."""

RGB = 0
BT709 = 1
UNSPECIFIED = 2
BT601 = 6
LIMITED = 1
FULL = 2

# H.273 matrix -> the number by which swscale knows the coefficients.
_SWSCALE_MATRIX = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9}

# swscale's defaults skip chroma samples and round down; a restyled plate must come back unshifted.
_EXACT = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.BITEXACT
)

# swscale's 16-bit path takes 255 << 8 for white.
_SWSCALE_WHITE = 255 << 8


@dataclass(frozen=True)
class ColourTags:
    """Colour tags of a clip: H.273 code points, 2 (range: 0) if unspecified."""

    matrix: int = UNSPECIFIED
    range: int = 0
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED


PICTURE_TAGS = ColourTags(matrix=RGB, range=FULL, primaries=BT709, transfer=BT709)
"""Pictures are assumed to be sRGB; in video its usual tag is BT.709, on which players agree."""


def tags_of(frame: av.VideoFrame) -> ColourTags:
    """The tags on a decoded frame."""
    return ColourTags(frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc)


def resolve(tags: ColourTags, size: tuple[int, int]) -> ColourTags:
    """The tags with a matrix and a range that YUV can be converted by.

    An untagged matrix follows the usual rule of players: BT.709 for HD (wider than 1279 pixels
    or taller than 576 lines), BT.601 for SD. So do RGB sources, which have none, and the
    matrices that swscale has no linear coefficients for (YCgCo, constant luminance, ICtCp).
    An untagged range is limited. Primaries and transfer stay as they are.
    """
    height, width = size
    matrix = tags.matrix
    if matrix not in _SWSCALE_MATRIX:
        matrix = BT709 if width >= 1280 or height > 576 else BT601
        if tags.matrix not in (RGB, UNSPECIFIED):
            _warn_matrix(tags.matrix, matrix)
    return replace(tags, matrix=matrix, range=tags.range or LIMITED)


@cache
def _warn_matrix(found: int, used: int) -> None:
    log.warning("no coefficients for colour matrix %d (H.273): using %d", found, used)


def to_rgb(frame: av.VideoFrame, tags: ColourTags, reformatter: VideoReformatter) -> Pixels:
    """RGB of a decoded frame, as stored in the file (before rotation).

    Args:
        frame: any pixel format that swscale reads.
        tags: resolved tags, by which a YUV frame is converted.
        reformatter: reused from frame to frame, as starting its threads costs more than their work.

    Returns:
        (H, W, 3) full range; ``uint8`` from formats of up to 8 bits a component, else ``uint16``.
    """
    bits = frame.format.components[0].bits
    rgb: Pixels = reformatter.reformat(
        frame,
        format="rgb24" if bits <= 8 else "rgb48le",
        src_colorspace=None if frame.format.is_rgb else _SWSCALE_MATRIX[tags.matrix],
        src_color_range=None if frame.format.is_rgb else tags.range,
        dst_color_range=FULL,
        interpolation=_EXACT,
    ).to_ndarray()  # type: ignore[assignment]  # the stub knows of float formats too
    if bits <= 8 or frame.format.is_rgb:
        return rgb
    white = _SWSCALE_WHITE if tags.range == LIMITED else ((1 << bits) - 1) << (16 - bits)
    return _scaled(rgb, 65535 / white)


def to_frame(image: Tensor, pix_fmt: str, tags: ColourTags) -> av.VideoFrame:
    """A frame for the encoder: converted to ``pix_fmt`` by the tags' matrix and range, and tagged.

    Args:
        image: (H, W, 3) RGB, ``uint8`` or ``uint16``.
        pix_fmt: RGB formats take the code values as they are; YUV ones are planar.
        tags: resolved tags (``matrix`` RGB for an RGB ``pix_fmt``).
    """
    if av.VideoFormat(pix_fmt).is_rgb:
        frame = _packed(image).reformat(format=pix_fmt, dst_color_range=FULL)
    elif tags.range == FULL:
        frame = _full_range(image, pix_fmt, tags)
    else:
        frame = _yuv(image, pix_fmt, tags)
    tag_frame(frame, tags)
    return frame


def tag_frame(frame: av.VideoFrame, tags: ColourTags) -> None:
    """Set the tags on a frame for an encoder."""
    # ProRes reads the tags from the frame, x264 from the codec context.
    frame.colorspace = tags.matrix
    frame.color_range = tags.range
    frame.color_primaries = tags.primaries
    frame.color_trc = tags.transfer


def _packed(image: Tensor, scale: float = 1) -> av.VideoFrame:
    pixels = np.ascontiguousarray(image.numpy())
    if image.dtype == torch.uint8:
        return av.VideoFrame.from_ndarray(pixels, format="rgb24")
    return av.VideoFrame.from_ndarray(_scaled(pixels, scale), format="rgb48le")


def _yuv(image: Tensor, pix_fmt: str, tags: ColourTags) -> av.VideoFrame:
    return _packed(image, _SWSCALE_WHITE / 65535).reformat(
        format=pix_fmt,
        dst_colorspace=_SWSCALE_MATRIX[tags.matrix],
        dst_color_range=tags.range,
        interpolation=_EXACT,
    )


def _full_range(image: Tensor, pix_fmt: str, tags: ColourTags) -> av.VideoFrame:
    """Via 16 bits: at 8 or 10, swscale's full-range chroma comes out half a level low."""
    bits = av.VideoFormat(pix_fmt).components[0].bits
    fine = _yuv(image, pix_fmt.removesuffix(f"{bits}le") + "16le", tags)
    frame = av.VideoFrame(fine.width, fine.height, pix_fmt)
    dtype = np.uint8 if bits == 8 else np.uint16
    for number, (source, target) in enumerate(zip(fine.planes, frame.planes, strict=True)):
        values = np.frombuffer(memoryview(source), np.uint16).reshape(source.height, -1)
        coded = np.frombuffer(memoryview(target), dtype).reshape(target.height, -1)
        table = _fewer_bits(bits, chroma=number > 0)
        coded[:, : target.width] = table[values[:, : source.width]]
    return frame


@cache
def _fewer_bits(bits: int, chroma: bool) -> Pixels:
    """16-bit full-range code values to ``bits``, around the centre where chroma has its zero."""
    centre, coarse = (1 << 15, 1 << (bits - 1)) if chroma else (0, 0)
    top = (1 << bits) - 1
    levels = (np.arange(65536) - centre) * (top / 65535) + coarse
    table: Pixels = np.clip(np.rint(levels), 0, top).astype(np.uint16)
    return table


def tag_encoder(context: av.VideoCodecContext, tags: ColourTags) -> None:
    """Set the tags on an encoder that is not yet open."""
    context.colorspace = tags.matrix
    context.color_range = tags.range
    context.color_primaries = tags.primaries
    context.color_trc = tags.transfer


def _scaled(pixels: Pixels, factor: float) -> Pixels:
    """16-bit code values times ``factor``, rounded and saturated."""
    if factor == 1:
        return pixels
    scaled: Pixels = _scale_table(factor)[pixels]
    return scaled


@cache
def _scale_table(factor: float) -> Pixels:
    table: Pixels = np.minimum(np.rint(np.arange(65536) * factor), 65535).astype(np.uint16)
    return table
