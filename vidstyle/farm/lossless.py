"""Lossless pictures on disk: FFV1 (RFC 9043), which halves their size, or uncompressed."""

from fractions import Fraction
from typing import Literal, Protocol

import av
import numpy as np
import torch
from av.video.codeccontext import VideoCodecContext
from torch import Tensor

#: PyAV's name for a picture's array, by dtype and channels, and the format FFV1 stores it in.
_FORMATS = {
    (torch.uint8, 3): ("rgb24", "bgr0"),
    (torch.uint8, 4): ("rgba", "bgra"),
    (torch.uint16, 3): ("gbrp16le", "gbrp16le"),
    (torch.uint16, 4): ("gbrap16le", "gbrap16le"),
}


class Coder(Protocol):
    """Converts pictures of one size and depth to bytes and back.

    Attributes:
        header: required by a coder that decodes.
    """

    header: bytes

    def encode(self, image: Tensor) -> bytes:
        """Encode a picture (H, W, C); the bytes can be decoded independently of others."""
        ...

    def decode(self, packet: bytes) -> Tensor:
        """Decode a picture.

        Raises:
            ValueError: the bytes are damaged.
        """
        ...


def coder(like: Tensor, header: bytes | None = None) -> Coder:
    """The coder for pictures of this size and depth.

    Args:
        like: (H, W, C): RGB, or RGB and alpha.
        header: of the coder that encoded them; None to encode.
    """
    if (like.dtype, like.shape[2]) in _FORMATS:
        return _Ffv1(like, header)
    return _Verbatim(like)


class _Ffv1(Coder):
    """Single-threaded: a farm gives the other cores to other tasks."""

    def __init__(self, like: Tensor, header: bytes | None) -> None:
        self._height, self._width, channels = like.shape
        self._array, self._coded = _FORMATS[like.dtype, channels]
        if header is None:
            codec = self._closed("w")
            # Every picture is a keyframe.
            codec.framerate, codec.gop_size = Fraction(1), 1
            codec.open()
            header = codec.extradata or b""
        else:
            codec = self._closed("r")
            codec.extradata = header
        self._codec, self.header = codec, header

    def _closed(self, mode: Literal["r", "w"]) -> VideoCodecContext:
        codec = av.CodecContext.create("ffv1", mode)
        codec.width, codec.height, codec.pix_fmt = self._width, self._height, self._coded
        codec.thread_count = 1
        return codec

    def encode(self, image: Tensor) -> bytes:
        """See :class:`Coder`."""
        frame = av.VideoFrame.from_ndarray(image.contiguous().numpy(), self._array)
        (packet,) = self._codec.encode(frame.reformat(format=self._coded))
        return bytes(packet)

    def decode(self, packet: bytes) -> Tensor:
        """See :class:`Coder`."""
        try:
            (frame,) = self._codec.decode(av.Packet(packet))
        except (av.FFmpegError, ValueError):
            raise ValueError("a damaged picture") from None
        found = frame.height, frame.width, frame.format.name
        if found != (self._height, self._width, self._coded):
            raise ValueError("a damaged picture")
        return torch.from_numpy(frame.reformat(format=self._array).to_ndarray())


class _Verbatim(Coder):
    """For floating point, whose low bits do not compress."""

    header = b""

    def __init__(self, like: Tensor) -> None:
        self._shape, self._dtype = like.shape, like.numpy().dtype
        self._size = self._dtype.itemsize * like.numel()

    def encode(self, image: Tensor) -> bytes:
        """See :class:`Coder`."""
        return image.contiguous().numpy().tobytes()

    def decode(self, packet: bytes) -> Tensor:
        """See :class:`Coder`."""
        if len(packet) != self._size:
            raise ValueError("a damaged picture")
        return torch.from_numpy(np.frombuffer(bytearray(packet), self._dtype)).view(self._shape)
