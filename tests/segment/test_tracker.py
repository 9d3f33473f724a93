"""Carrying a matte through clips whose truth is known."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidstyle.segment.tracking.tracker import Tracker

DAVIS = Path(__file__).parents[3] / "shared" / "data" / "davis"


def track(images, matte):
    tracker = Tracker()
    tracker.reset(images[0], matte)
    return [tracker.step(image) for image in images[1:]]


def test_follows_a_moving_photograph(photo_clip, score):
    mattes = track(photo_clip.images, photo_clip.truth[0])
    scores = [score(m, t) for m, t in zip(mattes, photo_clip.truth[1:], strict=True)]
    assert min(scores) > 0.88
    assert all(m.dtype == np.uint8 and m.shape == photo_clip.size for m in mattes)


def test_follows_backwards_as_well(photo_clip, score):
    mattes = track(photo_clip.images[::-1], photo_clip.truth[-1])
    scores = [score(m, t) for m, t in zip(mattes, photo_clip.truth[-2::-1], strict=True)]
    assert min(scores) > 0.88


def test_edges_are_soft_and_the_rest_is_settled(photo_clip):
    matte = track(photo_clip.images[:4], photo_clip.truth[0])[-1]
    between = (matte > 5) & (matte < 250)
    assert between.any()
    assert between.mean() < 0.1


def test_an_object_that_leaves_is_gone(make_clip):
    clip = make_clip(20, speed=16.0)
    assert not clip.truth[-1].any()
    matte = track(clip.images, clip.truth[0])[-1]
    assert (matte > 127).mean() < 0.01


def test_confidence_is_about_the_overlap_with_the_truth(make_clip, score):
    clip = make_clip(20, speed=16.0)
    tracker = Tracker()
    tracker.reset(clip.images[0], clip.truth[0])
    assert tracker.confidence == 1
    told, true = [], []
    for image, truth in zip(clip.images[1:], clip.truth[1:], strict=True):
        true.append(score(tracker.step(image), truth))
        told.append(tracker.confidence)
    # She leaves the frame, bit by bit.
    assert np.abs(np.subtract(told, true)[:12]).mean() < 0.15
    assert told[-1] < 0.3
    tracker.reset(clip.images[0], clip.truth[0])
    assert tracker.confidence == 1


def test_reset_forgets_the_past(photo_clip):
    images, truth = photo_clip.images, photo_clip.truth
    fresh = track(images[5:8], truth[5])
    tracker = Tracker()
    tracker.reset(images[15], truth[0])
    tracker.step(images[14])
    tracker.reset(images[5], truth[5])
    assert np.array_equal(tracker.step(images[6]), fresh[0])


def test_an_empty_matte_stays_empty(photo_clip):
    mattes = track(photo_clip.images[:3], np.zeros(photo_clip.size, np.uint8))
    assert not any(m.any() for m in mattes)


def test_step_before_reset_is_an_error(photo_clip):
    with pytest.raises(RuntimeError, match="reset"):
        Tracker().step(photo_clip.images[0])


@pytest.mark.parametrize(
    ("name", "colour", "floor"),
    # In black and white, without texture, they get 0.78 and 0.72.
    [
        ("blackswan", True, 0.86),
        ("parkour", True, 0.7),
        ("blackswan", False, 0.81),
        ("libby", False, 0.76),
    ],
)
def test_real_clips(name, colour, floor, score):
    frames = sorted((DAVIS / name / "frames").glob("*.jpg"))[:10]
    masks = sorted((DAVIS / name / "masks").glob("*.png"))[:10]
    if len(frames) < 10:
        pytest.skip("DAVIS is not here")
    images = [cv2.imread(str(p), cv2.IMREAD_COLOR_RGB) for p in frames]
    if not colour:
        images = [cv2.cvtColor(image[..., 1], cv2.COLOR_GRAY2RGB) for image in images]
    truth = [cv2.imread(str(p), cv2.IMREAD_GRAYSCALE) for p in masks]
    mattes = track(images, truth[0])
    assert np.mean([score(m, t) for m, t in zip(mattes, truth[1:], strict=True)]) > floor
