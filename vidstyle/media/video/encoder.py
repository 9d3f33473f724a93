"""Sets up an encoder for a clip: pixel format, colour tags, HDR metadata."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import av
import av.error
import av.logging
import numpy as np
import torch
from av.video.codeccontext import VideoCodecContext

from vidstyle.errors import UsageError
from vidstyle.media.frame import Frame
from vidstyle.media.video.alpha import has_alpha, opaque_format, with_alpha
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.codecs import Codec
from vidstyle.media.video.colour import (
    FULL,
    LIMITED,
    RGB,
    ColourTags,
    resolve,
    tag_encoder,
    tag_frame,
    to_frame,
)
from vidstyle.media.video.hdr import encoder_options
from vidstyle.runtime.scheduling import scheduling_kept

log = logging.getLogger(__name__)

# The same samples in three planes, to which frames are converted.
_PLANAR = {"p010le": "yuv420p10le"}


def pixel_format(codec: Codec, info: ClipInfo) -> str:
    """FFmpeg's name of the format that preserves most of the clip: depth, chroma, size, alpha."""
    depth = next((bits for bits in codec.depths if bits >= info.bits), codec.depths[-1])
    alpha = info.alpha and codec.alpha
    if not codec.chroma:
        if depth == 8:
            return "bgra" if alpha else "bgr0"
        return f"gbr{'a' if alpha else ''}p{depth}le"
    if codec.semiplanar:
        return "yuv420p" if depth == 8 else f"p0{depth}le"
    chroma = _chroma(codec, info)
    return f"yuv{'a' if alpha else ''}{chroma}p" + ("" if depth == 8 else f"{depth}le")


def _chroma(codec: Codec, info: ClipInfo) -> str:
    source = chroma_of(info)
    chroma = source if source in codec.chroma else codec.chroma[-1]
    odd = (info.width % 2 and chroma != "444") or (info.height % 2 and chroma == "420")
    if odd and not codec.halves_odd and not codec.pads_odd:
        log.info(
            "%d×%d is odd: written as 4:4:4, since %s would need another size",
            info.width,
            info.height,
            chroma,
        )
        return "444"
    return chroma


def chroma_of(info: ClipInfo) -> str:
    """The sampling of a clip's chroma, ``420``, ``422`` or ``444``; for pictures and grey clips
    what suffices for them in a video."""
    source = av.VideoFormat(info.pix_fmt, 64, 64)
    if info.is_sequence or len(source.components) < 3:
        return "420"
    step = 64 // source.chroma_width(), 64 // source.chroma_height()
    return {(2, 2): "420", (2, 1): "422"}.get(step, "444")


def coded_size(codec: Codec, info: ClipInfo) -> ClipInfo:
    """The clip as the encoder takes it: with even sides if the codec pads odd ones."""
    if not codec.pads_odd:
        return info
    return replace(info, width=info.width + info.width % 2, height=info.height + info.height % 2)


def padded(frame: Frame, size: tuple[int, int]) -> Frame:
    """The frame at ``size`` (H, W), its last row and column repeated."""
    if frame.size == size:
        return frame
    down, across = size[0] - frame.size[0], size[1] - frame.size[1]
    pixels = np.pad(frame.image.numpy(), ((0, down), (0, across), (0, 0)), "edge")
    return replace(frame, image=torch.from_numpy(pixels), alpha=None)


def output_tags(codec: Codec, info: ClipInfo) -> ColourTags:
    """The tags to write: the clip's own, with the matrix and range that the pixels really have."""
    if not codec.chroma:
        return replace(info.colour, matrix=RGB, range=FULL)
    tags = resolve(info.colour, info.size)
    if codec.matrix is not None:
        tags = replace(tags, matrix=codec.matrix)
    # Full-range YUV is rare enough that many players misread it.
    if av.VideoFormat(info.pix_fmt).is_rgb or not codec.full_range:
        tags = replace(tags, range=LIMITED)
    return tags


def options_for(codec: Codec, info: ClipInfo) -> dict[str, str]:
    """FFmpeg's options for the encoder, including HDR metadata."""
    options = dict(codec.options)
    if info.hdr is not None and codec.hdr is not None:
        for name, value in encoder_options(info.hdr, codec.hdr).items():
            options[name] = ":".join(filter(None, (options.get(name), value)))
    return options


def configure(context: VideoCodecContext, codec: Codec, info: ClipInfo) -> None:
    """Set size, format, times and tags on an encoder that is not yet open."""
    context.width, context.height = info.width, info.height
    context.pix_fmt = pixel_format(codec, info)
    context.sample_aspect_ratio = info.sample_aspect
    context.framerate = info.rate
    context.time_base = info.time_base
    tag_encoder(context, output_tags(codec, info))


def to_encoder(frame: Frame, pix_fmt: str, tags: ColourTags) -> av.VideoFrame:
    """A frame as its encoder takes it: converted to ``pix_fmt``, tagged, with its alpha.

    Args:
        frame: code values.
        pix_fmt: see :func:`pixel_format`.
        tags: see :func:`output_tags`.
    """
    planar = _PLANAR.get(pix_fmt, opaque_format(pix_fmt))
    coded = to_frame(frame.image, planar, tags)
    if has_alpha(pix_fmt):
        coded = with_alpha(coded, frame.alpha, pix_fmt)
    elif planar != pix_fmt:
        coded = coded.reformat(format=pix_fmt)
    tag_frame(coded, tags)
    return coded


def check_encoder(codec: Codec, info: ClipInfo) -> None:
    """Check that the encoder accepts the clip, so that no render fails at the end.

    Raises:
        UsageError: the encoder is not in this FFmpeg, lacks its hardware, or does not support the
            size.
    """
    if reason := refusal(codec, info):
        raise UsageError(
            f"--codec {codec.name}: cannot encode {info.width}×{info.height} here ({reason}); "
            "choose another, --codec list says which work"
        )


def refusal(codec: Codec, info: ClipInfo) -> str | None:
    """Why the encoder does not open for the clip; None if it does."""
    info = coded_size(codec, info)
    if min(info.size) < codec.least:
        return f"shorter than {codec.least} pixels"
    with _told_errors() as said:
        try:
            context = av.CodecContext.create(codec.encoder, "w")
            assert isinstance(context, VideoCodecContext)
            context.options = options_for(codec, info)
            configure(context, codec, info)
            with scheduling_kept():
                context.open()
        except (av.error.FFmpegError, ValueError) as error:
            return said[-1][2].strip() if said else str(error)
    return None


@contextmanager
def _told_errors() -> Iterator[list[tuple[int, str, str]]]:
    """What FFmpeg logs within the block: its exceptions only give an error number."""
    level, skips = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)  # the same refusal twice is logged twice
    try:
        with av.logging.Capture() as said:
            yield said
    finally:
        av.logging.set_level(level)
        av.logging.set_skip_repeated(skips)
