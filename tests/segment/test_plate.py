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


def odds_of(plate, image):
    return plate.log_odds(image, Box(0, 0, image.shape[1], image.shape[0]), plate.camera(image))


def test_the_object_differs_from_the_plate_and_the_rest_does_not(clip, plate):
    odds = odds_of(plate, clip.images[13])
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
    odds = odds_of(plate, moved[6])
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
    assert plate.camera(other) is None
    assert not odds_of(plate, other).any()


@pytest.fixture(scope="module")
def fence(clip):
    """A picture of a fence, whose posts look the same, before a photograph; a plate of it, filmed
    with a camera that pans; and where an object hides most of it."""
    picture = clip.images[0][:, ::-1].copy()
    picture[60:] //= 4
    for x in range(4, picture.shape[1], 14):
        picture[60:, x : x + 3] = 200
        for y in range(64 + x % 5, picture.shape[0], 14):
            picture[y : y + 3, x - 4 : x + 7] = 200
    hidden = np.zeros(clip.size, bool)
    hidden[:, 60:180] = True
    samples = [(panned(picture, x), np.zeros(clip.size, bool)) for x in range(-6, 7, 2)]
    return picture, CleanPlate.of(samples), hidden


def panned(picture, x):
    shift = np.float32([[1, 0, x], [0, 1, 0]])
    return cv2.warpAffine(picture, shift, picture.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


def farthest(camera, shift, size):
    """How far, in pixels, any corner of a picture is from where the shift takes it."""
    corners = np.float64([[[x, y] for x in (0, size[1]) for y in (0, size[0])]])
    return np.linalg.norm(cv2.transform(corners, camera) - corners - shift, axis=-1).max()


def test_what_repeats_is_followed_from_picture_to_picture(fence):
    picture, plate, hidden = fence
    cameras = []
    for x in range(0, 21, 2):
        image = panned(picture, x)
        image[hidden] = 90
        cameras.append(plate.camera(image, hidden, cameras[-1:]))
    assert farthest(cameras[-1], (20, 0), hidden.shape) < 0.5
    assert farthest(plate.camera(image, hidden), (20, 0), hidden.shape) > 1


def test_what_hides_the_plate_does_not_move_the_camera(fence):
    picture, plate, hidden = fence
    image = picture.copy()
    image[hidden] = panned(picture, 3)[hidden]
    assert farthest(plate.camera(image, hidden), (0, 0), hidden.shape) < 1
    assert farthest(plate.camera(image), (0, 0), hidden.shape) > 2
