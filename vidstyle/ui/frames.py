"""Single frames of clips, as the page shows them."""

from functools import lru_cache
from pathlib import Path

from vidstyle.errors import MediaError
from vidstyle.media.video.reader import open_clip
from vidstyle.segment.clip import eight_bit
from vidstyle.ui.selection import Image

# A file's frame index is built only once.
_opened = lru_cache(maxsize=16)(open_clip)


def frame_of(clip: Path, index: int) -> Image:
    """A frame, (H, W, 3) RGB in 8 bits.

    Raises:
        MediaError: it cannot be decoded.
    """
    for frame in _opened(str(clip)).frames(index, index + 1):
        return eight_bit(frame)
    raise MediaError(f"{clip.name}: frame {index} cannot be decoded; choose another")
