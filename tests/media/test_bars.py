"""Black bars around the picture."""

from collections.abc import Sequence
from fractions import Fraction

import cv2
import numpy as np
import pytest
import skimage.data
import torch

from vidstyle.media.frame import Box, Frame
from vidstyle.media.video.bars import Bars


def picture_of(pictures: Sequence[np.ndarray]) -> Box | None:
    bars = Bars()
    frames = (Frame(torch.from_numpy(p), i, i, Fraction(1, 24)) for i, p in enumerate(pictures))
    assert sum(1 for _ in bars.watching(frames)) == len(pictures)
    return bars.picture()


def boxed(box: Box, count: int = 9, kind: type = np.uint8) -> list[np.ndarray]:
    """A photograph in a box of a frame of 100 × 160, softened as by compression."""
    photo = skimage.data.astronaut()
    frames = []
    for number in range(count):
        frame = np.zeros((100, 160, 3), np.uint8)
        part = photo[4 * number : 4 * number + box.height, : box.width]
        frame[box.rows, box.columns] = part
        coded = cv2.imdecode(cv2.imencode(".jpg", frame)[1], cv2.IMREAD_COLOR)
        frames.append(coded.astype(kind) * (257 if kind == np.uint16 else 1))
    return frames


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    "box", [Box(0, 16, 160, 88), Box(24, 0, 136, 100), Box(16, 16, 144, 80), Box(0, 0, 160, 88)]
)
def test_bars_are_found(box: Box, kind: type):
    found = picture_of(boxed(box, kind=kind))
    assert found is not None
    for side in ("x0", "y0", "x1", "y1"):
        assert abs(getattr(found, side) - getattr(box, side)) <= 2


def test_what_is_black_in_the_picture_is_no_bar():
    assert picture_of(boxed(Box(0, 0, 160, 100))) is None
    void = [np.zeros((100, 160, 3), np.uint8) for _ in range(9)]
    assert picture_of(void) is None
    for frame in void:
        cv2.circle(frame, (80, 50), 20, (200, 180, 90), cv2.FILLED)
    assert picture_of(void) is None


def test_bars_that_come_and_go_are_part_of_the_picture():
    pictures = [*boxed(Box(0, 16, 160, 84)), *boxed(Box(0, 0, 160, 100))]
    assert picture_of(pictures) is None
