"""Mattes whose truth is known, made to boil, and steadied along the pictures' motion."""

import cv2
import numpy as np
import pytest

from vidstyle.segment.mattes.store import bounding_box
from vidstyle.segment.tracking.steady import Seen, steadied


@pytest.fixture(scope="module")
def boiling(photo_clip):
    """Mattes whose outline wanders by a pixel or two, differently in every frame."""
    random = np.random.default_rng(1)
    height, width = photo_clip.size
    mattes = []
    for truth in photo_clip.truth:
        noise = random.normal(size=(2, height, width)).astype(np.float32)
        dx, dy = (40 * cv2.GaussianBlur(plane, (0, 0), 6) for plane in noise)
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        mattes.append(cv2.remap(truth, x + dx, y + dy, cv2.INTER_LINEAR))
    return mattes


def views(clip, mattes, fixed=()):
    return [
        Seen(image, matte, i in fixed)
        for i, (image, matte) in enumerate(zip(clip.images, mattes, strict=True))
    ]


def steady_of(views):
    with steadied(views) as steady:
        return list(steady)


def errors(mattes, truth):
    """Root mean squared differences, in levels."""
    return [
        float(np.sqrt(np.square(m.astype(int) - t).mean()))
        for m, t in zip(mattes, truth, strict=True)
    ]


def test_a_boiling_edge_comes_to_rest_where_it_should(photo_clip, boiling, score):
    steady = steady_of(views(photo_clip, boiling))
    before, after = errors(boiling, photo_clip.truth), errors(steady, photo_clip.truth)
    assert np.mean(after) < 0.8 * np.mean(before)
    fits = [
        [score(m, t) for m, t in zip(ms, photo_clip.truth, strict=True)] for ms in (boiling, steady)
    ]
    assert np.mean(fits[1]) > np.mean(fits[0])


def test_a_good_matte_stays(photo_clip, score):
    steady = steady_of(views(photo_clip, photo_clip.truth))
    assert min(score(m, t) for m, t in zip(steady, photo_clip.truth, strict=True)) > 0.98


def test_there_is_no_lag(make_clip):
    clip = make_clip(9, speed=9.0)
    for matte, truth in zip(steady_of(views(clip, clip.truth)), clip.truth, strict=True):
        x, true_x = (cv2.moments(m)["m10"] / cv2.moments(m)["m00"] for m in (matte, truth))
        assert x == pytest.approx(true_x, abs=0.2)


def test_neighbours_that_look_different_have_no_say(photo_clip):
    images = [*photo_clip.images[:2], photo_clip.images[2][::-1, ::-1].copy()]
    mattes = [*photo_clip.truth[:2], np.full(photo_clip.size, 255, np.uint8)]
    alone = steady_of(Seen(*both) for both in zip(images[:2], mattes[:2], strict=True))
    beside = steady_of(Seen(*both) for both in zip(images, mattes, strict=True))
    assert np.abs(beside[1].astype(int) - alone[1]).mean() < 2


def test_a_fixed_matte_is_kept(photo_clip, boiling):
    steady = steady_of(views(photo_clip, boiling, fixed=[4]))
    same = [i for i in range(photo_clip.count) if np.array_equal(steady[i], boiling[i])]
    assert same == [4]


def test_empty_mattes_and_single_frames(photo_clip):
    nothing = np.zeros(photo_clip.size, np.uint8)
    mattes = steady_of(views(photo_clip, [nothing] * photo_clip.count))
    assert len(mattes) == photo_clip.count
    assert all(bounding_box(matte) is None for matte in mattes)
    assert steady_of([]) == []
    single = steady_of([Seen(photo_clip.images[0], photo_clip.truth[0])])
    assert np.array_equal(single[0], photo_clip.truth[0])
