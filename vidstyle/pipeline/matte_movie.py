"""Mattes given as a video: in its alpha, values or labels."""

import logging
from pathlib import Path

from vidstyle.errors import MediaError
from vidstyle.media.frame import Frame
from vidstyle.media.pattern import is_sequence, split_channel
from vidstyle.media.video.reader import open_clip
from vidstyle.runtime.progress import Progress
from vidstyle.segment.clip import Clip
from vidstyle.segment.mattes.matte_picture import SAMPLES, StoredMatte, settled, stored_matte
from vidstyle.segment.mattes.store import MatteStore

log = logging.getLogger(__name__)


def is_movie(pattern: str) -> bool:
    """Whether the name of given mattes denotes a video rather than pictures."""
    return not is_sequence(split_channel(pattern)[0])


def read_movie(
    pattern: str, clip: Clip, start: int, folder: Path, progress: Progress
) -> MatteStore:
    """Decode a video's mattes once, for frames ``start`` to the clip's end.

    Args:
        pattern: the video; its frames cover the whole clip, or start at ``start``.
        folder: for the mattes as pictures.

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
    first = _first_given(f"matte:{pattern}", count, start, clip.count)
    step = max(1, count // SAMPLES)
    samples = (_stored(frame) for frame in reader.frames() if frame.index % step == 0)
    meaning = settled(samples, f"matte:{pattern}")
    for frame in reader.frames(start - first, clip.count - first):
        store[frame.index + first] = meaning.matte(_stored(frame))
        progress.advance(1)
    return store


def _first_given(origin: str, given: int, start: int, count: int) -> int:
    """The frame of the video's first matte: 0, or ``start`` if there are exactly as many mattes as
    frames from there to the clip's end.

    Raises:
        MediaError: there are too few.
    """
    if given >= count:
        return 0
    if given == count - start:
        return start
    raise MediaError(
        f"{origin}: {given} mattes for frames {start} to {count - 1}; give one for each of them, "
        "or for the whole clip"
    )


def _stored(frame: Frame) -> StoredMatte:
    alpha = None if frame.alpha is None else frame.alpha.numpy()
    return stored_matte(frame.image.numpy(), alpha)
