"""The clean plate of a generated clip, whose background is a known photograph."""

import cv2
import numpy as np
import pytest
import skimage.data

from vidstyle.media.frame import Box
from vidstyle.segment.mattes.store import bounding_box
from vidstyle.segment.tracking.clean_plate import CleanPlate, hidden_by


@pytest.fixture(scope="module")
def clip(make_clip):
    return make_clip(24, speed=6.0)


@pytest.fixture(scope="module")
def plate(clip):
    return CleanPlate.of(
        [(clip.images[i], hidden_by(clip.truth[i])) for i in range(0, clip.count, 2)]
    )


def whole(image):
    return Box(0, 0, image.shape[1], image.shape[0])


def test_the_object_differs_from_the_plate_and_the_rest_does_not(clip, plate):
    odds = plate.log_odds(clip.images[13], whole(clip.images[13]))
    truth = clip.truth[13]
    inside = cv2.erode(truth, np.ones((5, 5), np.uint8)) > 0
    outside = cv2.dilate(truth, np.ones((9, 9), np.uint8)) == 0
    assert (odds[inside] > 0).mean() > 0.8
    assert (odds[outside] <= 0).mean() > 0.98


def test_a_rough_matte_is_better_than_its_box(clip, plate, score):
    truth = clip.truth[12]
    box = bounding_box(truth)
    filled = np.zeros_like(truth)
    filled[box.rows, box.columns] = 255
    rough = plate.rough_matte(clip.images[12], box, filled)
    assert score(rough, truth) > 0.88 > score(filled, truth)


def test_it_follows_a_camera_that_moves(clip, score):
    moved, hidden = [], []
    for i in range(0, 24, 2):
        shift = np.float32([[1, 0, 1.5 * i - 12], [0, 1, 4 * np.sin(i)]])
        size = clip.size[::-1]
        moved.append(cv2.warpAffine(clip.images[i], shift, size, borderMode=cv2.BORDER_REFLECT))
        hidden.append(cv2.warpAffine(clip.truth[i], shift, size))
    plate = CleanPlate.of([(m, hidden_by(h)) for m, h in zip(moved, hidden, strict=True)])
    odds = plate.log_odds(moved[6], whole(moved[6]))
    assert score(np.where(odds > 0, 255, 0), hidden[6]) > 0.75


def test_no_plate_without_a_camera_to_follow(clip):
    flat = [(np.full((90, 120, 3), 90, np.uint8), np.zeros((90, 120), bool))] * 8
    assert CleanPlate.of(flat) is None
    assert CleanPlate.of(flat[:2]) is None
    other = cv2.resize(skimage.data.chelsea(), clip.size[::-1])
    nothing = np.zeros(clip.size, bool)
    assert CleanPlate.of([(clip.images[0], nothing)] * 2 + [(other, nothing)] * 3) is None


def test_an_unknown_camera_says_nothing(clip, plate):
    other = cv2.resize(skimage.data.chelsea(), clip.size[::-1])
    assert not plate.log_odds(other, whole(other)).any()
