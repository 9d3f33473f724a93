"""Cuts found exactly, and nothing taken for a cut that is none."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.shots import Shot, find_cuts, find_shots


def _join(*parts):
    """The parts one after the other, numbered through."""
    frames = [frame for part in parts for frame in part]
    return [replace(frame, index=i, pts=i) for i, frame in enumerate(frames)]


@pytest.fixture(scope="module")
def movie(info):
    return info(180, 240)


def test_cuts_between_different_photographs_are_exact(movie, pan):
    first = pan(movie, 21, "astronaut")
    second = pan(movie, 6, "coffee")
    third = pan(movie, 30, "chelsea", step=4)
    frames = _join(first, second, third)
    assert find_cuts(iter(frames)) == [21, 27]
    assert find_shots(iter(frames)) == [Shot(0, 21), Shot(21, 27), Shot(27, 57)]


def test_deep_clips_cut_alike(info, pan):
    deep = info(180, 240, bits=16)
    assert find_cuts(_join(pan(deep, 12, "astronaut"), pan(deep, 12, "coffee"))) == [12]


def test_a_part_of_a_clip_keeps_its_numbers(movie, pan):
    frames = _join(pan(movie, 20, "astronaut"), pan(movie, 20, "coffee"))[8:]
    assert find_shots(frames) == [Shot(8, 20), Shot(20, 40)]


def test_one_shot_and_none(movie, pan):
    assert find_shots(pan(movie, 12)) == [Shot(0, 12)]
    assert find_shots(pan(movie, 1)) == [Shot(0, 1)]
    assert find_shots([]) == []


@pytest.mark.parametrize("length", [1, 2])
def test_a_flash_is_no_cut(movie, pan, length):
    frames = pan(movie, 30)
    for i in range(14, 14 + length):
        white = frames[i].image.numpy().astype(int) + 170
        image = torch.from_numpy(np.minimum(white, 255).astype(np.uint8))
        frames[i] = replace(frames[i], image=image)
    assert find_cuts(frames) == []


def test_a_whip_pan_is_no_cut(movie, pan):
    slow, fast = pan(movie, 10, "coffee", step=1), pan(movie, 8, "coffee", step=45)
    assert find_cuts(_join(slow, fast, [fast[-1]] * 8)) == []


@pytest.mark.parametrize(
    "name",
    [
        "davis/libby/frames",
        "davis/bmx-trees/frames",
        "davis/parkour/frames",
        "davis/dance-twirl/frames",
        "davis/car-shadow/frames",
        "video/fire2.mp4",
    ],
)
def test_real_shots_do_not_cut(real, name):
    assert find_cuts(open_clip(real(name)).frames()) == []


def test_the_juggler_is_one_shot(real):
    assert find_shots(open_clip(real("video/05_default_juggle.mp4")).frames(0, 120)) == [
        Shot(0, 120)
    ]


def test_a_real_cut(real):
    assert 202 in find_cuts(open_clip(real("video/nasa_13013.mp4")).frames(150, 260))
