"""Frames for calibrating a quantized network's ranges."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from vidstyle.errors import MediaError
from vidstyle.export.probe import Probe
from vidstyle.media.frame import unit_range
from vidstyle.media.video.reader import open_clip

#: Number of frames of a clip, evenly spaced.
COUNT = 16
#: Largest short side of these frames, in pixels.
SHORT = 240


def calibration_pictures(source: str, short: int = SHORT) -> list[Tensor]:
    """Up to ``COUNT`` frames of a clip or folder, (1, 3, H, W) in [0, 1].

    Args:
        short: largest short side of the frames, in pixels.

    Raises:
        MediaError: the clip cannot be read, or has no frame.
    """
    clip = open_clip(source)
    count = clip.info.frame_count or sum(1 for _ in clip.frames())
    wanted = {index * count // COUNT for index in range(COUNT)}
    pictures = [
        _bounded(unit_range(frame.image)[None], short)
        for frame in clip.frames()
        if frame.index in wanted
    ]
    if not pictures:
        raise MediaError(f"{source}: no frame can be decoded; give another for --calibrate")
    return pictures


def parted(probes: Sequence[Probe]) -> tuple[Sequence[Probe], Sequence[Probe]]:
    """Probes for calibration, and every fourth, held out to measure the loss of quality."""
    kept = [probe for index, probe in enumerate(probes) if index % 4 != 3]
    return kept, probes[3::4] or probes


def _bounded(picture: Tensor, short: int) -> Tensor:
    scale = short / min(picture.shape[2:])
    if scale >= 1:
        return picture
    return F.interpolate(picture, scale_factor=scale, mode="bilinear", antialias=True)
