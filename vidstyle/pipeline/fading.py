"""Painting faded frames: the fade is removed, the picture painted, and the fade reapplied."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from vidstyle.media.frame import Frame
from vidstyle.media.video.fades import Fade

Fades = Mapping[int, Fade]
"""The faded frames of a clip, by number."""


def lifted(seen: Tensor, frames: Sequence[Frame], fades: Fades) -> Tensor:
    """Pictures as they were before the fade.

    Args:
        seen: (N, 3, H, W) in [0, 1], of ``frames``.

    Returns:
        (N, 3, H, W) in [0, 1]; ``seen`` itself if no frame is faded.
    """
    if not any(frame.index in fades for frame in frames):
        return seen
    return torch.stack(
        [
            picture if (fade := fades.get(frame.index)) is None else _lifted(picture, fade)
            for picture, frame in zip(seen, frames, strict=True)
        ]
    )


def lowered(painted: Tensor, seen: Tensor, fade: Fade) -> Tensor:
    """Paint on a lifted picture as seen through the fade: the plate changes by the frame's share
    of the change that the paint made.

    Args:
        painted: (3, H, W), the painted lifted picture.
        seen: (3, H, W), the faded plate.
    """
    return (seen + fade.share * (painted - _lifted(seen, fade))).clamp(0, 1)


def _lifted(seen: Tensor, fade: Fade) -> Tensor:
    colour = seen.new_tensor(fade.colour)[:, None, None]
    return (colour + (seen - colour) / fade.lifting).clamp(0, 1)
