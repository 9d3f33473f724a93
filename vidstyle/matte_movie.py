"""Mattes that come as a video: in its alpha, or in its grey."""

import logging
from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from vidstyle.errors import MediaError
from vidstyle.frame import Frame, full_scale
from vidstyle.pattern import is_sequence, split_channel
from vidstyle.progress import Progress
from vidstyle.segment.clip import Clip
from vidstyle.segment.mattes import Matte, MatteStore, first_given
from vidstyle.video.reader import open_clip

log = logging.getLogger(__name__)


def is_movie(pattern: str) -> bool:
    """Whether the name of given mattes stands for a video rather than for pictures."""
    return not is_sequence(split_channel(pattern)[0])


def read_movie(
    pattern: str, clip: Clip, start: int, folder: Path, progress: Progress
) -> MatteStore:
    """Decode the mattes of a video, once, for frames ``start`` to the clip's end.

    Args:
        pattern: the video; its frames are those of the whole clip, or those from ``start`` on.
        folder: takes the mattes as pictures.

    Raises:
        MediaError: the video cannot be read, has another size or too few frames.
    """
    reader = open_clip(pattern)
    if reader.info.size != clip.size:
        raise MediaError(
            f"matte:{pattern}: {reader.info.width}x{reader.info.height} pixels, the clip has "
            f"{clip.size[1]}x{clip.size[0]}; give mattes of the clip's size"
        )
    store = MatteStore(folder, clip.size, clip.count)
    count = sum(1 for _ in reader.frames())
    first = first_given(f"matte:{pattern}", count, start, clip.count)
    for frame in reader.frames(start - first, clip.count - first):
        store[frame.index + first] = _matte(frame)
        progress.advance(1)
    return store


def _matte(frame: Frame) -> Matte:
    if frame.alpha is not None and (frame.alpha != full_scale(frame.alpha.dtype)).any():
        return _in_eight_bits(frame.alpha)
    return np.asarray(cv2.cvtColor(_in_eight_bits(frame.image), cv2.COLOR_RGB2GRAY))


def _in_eight_bits(values: Tensor) -> Matte:
    scaled = values.float() * (255 / full_scale(values.dtype))
    return np.asarray(scaled.clamp(0, 255).round().byte().numpy())
