"""Several strengths side by side in one picture."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from vidstyle.media.frame import full_scale

_GAP = 0.02  # of a picture's shorter side
_STRIP = 0.07  # of it, for the labels


def contact_sheet(pictures: Sequence[Tensor], labels: Sequence[str]) -> Tensor:
    """Pictures of one size in a row on white, each above its label.

    Args:
        pictures: (H, W, C) code values with 3 or 4 channels.

    Returns:
        (H', W', C) of the same dtype.
    """
    height, width, channels = pictures[0].shape
    short = min(height, width)
    gap, strip = max(2, round(_GAP * short)), max(12, round(_STRIP * short))
    step = width + gap
    white = full_scale(pictures[0].dtype)
    sheet = np.full(
        (height + 2 * gap + strip, gap + step * len(pictures), channels),
        white,
        pictures[0].numpy().dtype,
    )
    for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        left = gap + number * step
        sheet[gap : gap + height, left : left + width] = picture.numpy()
        place = (left, gap + height + round(0.8 * strip))
        scale = cv2.getFontScaleFromHeight(cv2.FONT_HERSHEY_SIMPLEX, max(6, round(0.5 * strip)))
        black = (0, 0, 0, white)[:channels]
        thick = max(1, strip // 20)
        cv2.putText(sheet, label, place, cv2.FONT_HERSHEY_SIMPLEX, scale, black, thick, cv2.LINE_AA)
    return torch.from_numpy(sheet)
