"""Alpha: read from decoded frames, and added to frames for an encoder."""

import av
import numpy as np
from av.video.plane import VideoPlane
from av.video.reformatter import VideoReformatter
from numpy.typing import DTypeLike
from torch import Tensor

from vidstyle.media.video.colour import Pixels


def has_alpha(pix_fmt: str) -> bool:
    """Whether a pixel format carries alpha."""
    return any(component.is_alpha for component in av.VideoFormat(pix_fmt).components)


def alpha_of(frame: av.VideoFrame, reformatter: VideoReformatter) -> Pixels:
    """(H, W) full range: ``uint8`` from formats of up to 8 bits a component, else ``uint16``.

    Args:
        frame: of a format that carries alpha.
        reformatter: reused from frame to frame.
    """
    bits = frame.format.components[0].bits
    if frame.format.is_planar:
        values = _samples(frame.planes[-1], bits)[:, : frame.width]
    else:
        frame = reformatter.reformat(frame, format="rgba" if bits <= 8 else "rgba64le")
        bits = frame.format.components[0].bits
        values = _samples(frame.planes[0], bits)[:, 3 : 4 * frame.width : 4]
    return _rescaled(values, bits, 8 if bits <= 8 else 16)


def opaque_format(pix_fmt: str) -> str:
    """The same format without its alpha."""
    return pix_fmt.replace("yuva", "yuv").replace("gbrap", "gbrp").replace("bgra", "bgr0")


def with_alpha(frame: av.VideoFrame, alpha: Tensor | None, pix_fmt: str) -> av.VideoFrame:
    """The frame in a format with alpha; its other components are as they were.

    Args:
        frame: of :func:`opaque_format` of ``pix_fmt``.
        alpha: (H, W) ``uint8`` or ``uint16``, full range; None for opaque.
        pix_fmt: planar with alpha, or ``bgra``.
    """
    full = av.VideoFrame(frame.width, frame.height, pix_fmt)
    bits = full.format.components[0].bits
    for source, target in zip(frame.planes, full.planes, strict=False):
        copied, lines = _samples(target, bits), _samples(source, bits)
        copied[:, : lines.shape[1]] = lines[:, : copied.shape[1]]
    if full.format.is_planar:
        coded = _samples(full.planes[-1], bits)[:, : full.width]
    else:
        coded = _samples(full.planes[0], bits)[:, 3 : 4 * full.width : 4]
    if alpha is None:
        coded[:] = (1 << bits) - 1
    else:
        coded[:] = _rescaled(alpha.numpy(), alpha.element_size() * 8, bits)
    return full


def _samples(plane: VideoPlane, bits: int) -> Pixels:
    """(H, W) of a plane, including line padding; a writable view."""
    dtype: DTypeLike = np.uint8 if bits <= 8 else np.uint16
    samples: Pixels = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, -1)
    return samples


def _rescaled(values: Pixels, bits: int, to_bits: int) -> Pixels:
    """Full-range code values of one depth in another, rounded."""
    if bits == to_bits:
        return np.ascontiguousarray(values)
    factor = ((1 << to_bits) - 1) / ((1 << bits) - 1)
    scaled: Pixels = np.rint(values * factor).astype(np.uint8 if to_bits <= 8 else np.uint16)
    return scaled
