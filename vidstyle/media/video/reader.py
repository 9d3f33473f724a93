"""Reading clips: exact frames, upright, in full-range RGB, from videos and image sequences."""

from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from functools import cached_property

import torch
from av.video.reformatter import VideoReformatter

from vidstyle.errors import MediaError
from vidstyle.media.frame import Frame
from vidstyle.media.pattern import is_sequence
from vidstyle.media.video.alpha import alpha_of
from vidstyle.media.video.clip import ClipReader, Damage
from vidstyle.media.video.colour import resolve, to_rgb
from vidstyle.media.video.decode import PacketIndex, Picture, decode
from vidstyle.media.video.orientation import display_matrix, upright
from vidstyle.media.video.probe import check_progressive, probe_video
from vidstyle.media.video.sequence import SequenceReader

__all__ = ["ClipReader", "VideoReader", "open_clip"]


def open_clip(source: str, sequence_rate: Fraction | None = None) -> ClipReader:
    """A reader for a video file, a sequence pattern (``shot.%04d.png``, ``shot.####.png``),
    a folder of pictures or a single picture.

    Args:
        source: what to read.
        sequence_rate: frames per second of pictures; None for the rate they state, or 24.

    Raises:
        MediaError: nothing readable there; the message says why.
    """
    return SequenceReader(source, sequence_rate) if is_sequence(source) else VideoReader(source)


class VideoReader:
    """A video file, decoded by FFmpeg on several threads."""

    def __init__(self, path: str) -> None:
        """Raises MediaError when the file cannot be read."""
        self.info = probe_video(path)
        self.damage = Damage()
        self._colour = resolve(self.info.colour, self.info.size)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """See :class:`~vidstyle.media.video.clip.ClipReader`."""
        if stop is not None and stop <= start:
            return
        index = self._index if start > 0 else None
        with closing(decode(self.info, start, index, self._note)) as pictures:
            reformatter = VideoReformatter()
            for picture in pictures:
                if stop is not None and picture.index >= stop:
                    return
                if picture.index >= start:
                    yield self._frame(picture, reformatter)
                if stop is not None and picture.index == stop - 1:
                    return

    def _frame(self, picture: Picture, reformatter: VideoReformatter) -> Frame:
        check_progressive(picture.coded, self.info.path)
        pixels = to_rgb(picture.coded, self._colour, reformatter)
        alpha = None
        if self.info.alpha:
            alpha = alpha_of(picture.coded, reformatter)[..., None]
        matrix = display_matrix(picture.coded)
        if matrix is not None:
            pixels = upright(pixels, matrix)
            alpha = None if alpha is None else upright(alpha, matrix)
        if pixels.shape[:2] != self.info.size:
            raise MediaError(
                f"{self.info.path}: frame {picture.index} is {pixels.shape[1]}×{pixels.shape[0]}, "
                f"the first was {self.info.width}×{self.info.height}; "
                "split the clip where its size changes"
            )
        bits = picture.coded.format.components[0].bits
        if (bits > 8) != (self.info.bits > 8):  # another type of pixels
            raise MediaError(
                f"{self.info.path}: frame {picture.index} has {bits} bits, the first had "
                f"{self.info.bits}; split the clip where its depth changes"
            )
        return Frame(
            torch.from_numpy(pixels),
            picture.index,
            picture.pts,
            self.info.time_base,
            None if alpha is None else torch.from_numpy(alpha[..., 0]),
        )

    def _note(self, damage: Damage) -> None:
        self.damage = damage

    @cached_property
    def _index(self) -> PacketIndex | None:
        return PacketIndex.build(self.info)
