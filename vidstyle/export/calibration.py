"""Frames to measure a quantized network's ranges on."""

import torch.nn.functional as F
from torch import Tensor

from vidstyle.errors import MediaError
from vidstyle.frame import unit_range
from vidstyle.video.reader import open_clip

#: Frames that are taken of a clip, spread evenly.
COUNT = 16
#: Largest short side of them, in pixels.
SHORT = 240


def calibration_pictures(source: str) -> list[Tensor]:
    """Up to ``COUNT`` frames of a clip or folder, (1, 3, H, W) in [0, 1].

    Raises:
        MediaError: it cannot be read, or has no frame.
    """
    clip = open_clip(source)
    count = clip.info.frame_count or sum(1 for _ in clip.frames())
    wanted = {index * count // COUNT for index in range(COUNT)}
    pictures = [
        _small(unit_range(frame.image)[None]) for frame in clip.frames() if frame.index in wanted
    ]
    if not pictures:
        raise MediaError(f"{source}: no frame of it can be decoded; give another for --calibrate")
    return pictures


def _small(picture: Tensor) -> Tensor:
    scale = SHORT / min(picture.shape[2:])
    if scale >= 1:
        return picture
    return F.interpolate(picture, scale_factor=scale, mode="bilinear", antialias=True)
