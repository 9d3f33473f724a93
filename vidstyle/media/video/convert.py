"""Conversion from the plates' colour space to the output's, before writing."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from vidstyle.media.frame import Frame, full_scale
from vidstyle.media.ocio import Colours, Transform
from vidstyle.media.video.clip import ClipInfo, ClipWriter
from vidstyle.media.video.colour import ColourTags
from vidstyle.media.video.sequence import SequenceWriter, is_straight


@dataclass(frozen=True)
class Conversion:
    """The colour conversion of all frames of an output.

    Attributes:
        transform: of the colours, full scale at 1.
        dtype: of the converted frames.
        space: colour space that files state.
        tags: colour tags that video states; None for the clip's own.
    """

    transform: Transform
    dtype: torch.dtype
    space: str
    tags: ColourTags | None

    def described(self, info: ClipInfo) -> ClipInfo:
        """The clip after conversion."""
        is_float = self.dtype.is_floating_point
        if is_float:
            pix_fmt, bits = "gbrpf32le", info.bits
        elif info.is_float:
            pix_fmt, bits = "rgb48le", 16
        else:
            pix_fmt, bits = info.pix_fmt, info.bits
        return replace(
            info,
            pix_fmt=pix_fmt,
            bits=bits,
            is_float=is_float,
            space=self.space,
            colour=self.tags or info.colour,
        )


class ConvertingWriter(ClipWriter):
    """Converts frames and passes them on."""

    def __init__(self, writer: ClipWriter, conversion: Conversion) -> None:
        self._writer, self._conversion = writer, conversion
        self._straight = isinstance(writer, SequenceWriter) and writer.wants_straight

    def write(self, frame: Frame) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`."""
        alpha = frame.alpha
        # A plate's colours stay multiplied, unless the output's have to be straight.
        premultiplied = frame.premultiplied or (self._straight and is_straight(frame) is False)
        cover = None if alpha is None or not premultiplied else _unit(alpha)[..., None]
        colours = _unit(frame.image)
        if cover is None:
            colours = self._conversion.transform(colours)
        else:
            # Light that nothing covers, as of a flame, cannot be divided.
            straight = np.divide(colours, cover, out=colours.copy(), where=cover > 0)
            colours = self._conversion.transform(straight) * (1 if self._straight else cover)
        dtype = self._conversion.dtype
        self._writer.write(
            replace(
                frame,
                image=_codes(colours, dtype),
                alpha=None if alpha is None else _codes(_unit(alpha), dtype),
            )
        )

    def commit(self) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`."""
        self._writer.commit()

    def abort(self) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`."""
        self._writer.abort()


def _unit(codes: Tensor) -> Colours:
    return np.asarray(codes.float().numpy() / np.float32(full_scale(codes.dtype)), np.float32)


def _codes(values: Colours, dtype: torch.dtype) -> Tensor:
    tensor = torch.from_numpy(np.ascontiguousarray(values, np.float32))
    if dtype.is_floating_point:
        return tensor
    scale = full_scale(dtype)
    return (tensor.nan_to_num() * scale).round_().clamp_(0, scale).int().to(dtype)
