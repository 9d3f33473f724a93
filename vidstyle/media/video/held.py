"""A clip held in memory."""

from collections.abc import Iterator
from fractions import Fraction

import torch
from torch import Tensor

from vidstyle.media.frame import Frame
from vidstyle.media.video.clip import ClipInfo, Damage


class HeldClip:
    """Code values (N, H, W, 3) as a :class:`~vidstyle.media.video.clip.ClipReader`.

    Each frame lasts a second, since its duration is unknown. Floating point is display-referred,
    with white at 1.
    """

    def __init__(self, images: Tensor) -> None:
        self._images = images
        self.count = len(images)
        height, width = self.size = (images.shape[1], images.shape[2])
        self.info = ClipInfo(
            path="frames",
            width=width,
            height=height,
            rate=Fraction(1),
            time_base=Fraction(1),
            frame_count=self.count,
            pix_fmt="rgb24" if images.dtype is torch.uint8 else "rgb48",
            bits=8 if images.dtype is torch.uint8 else 16,
        )
        self.damage = Damage()

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """See :class:`~vidstyle.media.video.clip.ClipReader`."""
        for index in range(self.count)[start:stop]:
            yield Frame(self._images[index], index, index, Fraction(1))


def sixteen_bit(images: Tensor) -> Tensor:
    """Code values for code that analyses clips: floating point in [0, 1] becomes ``uint16``."""
    if not images.dtype.is_floating_point:
        return images
    return (images.nan_to_num().clamp(0, 1) * 65535).round_().int().to(torch.uint16)
