"""What tells pixels apart: colours, and texture where there are none."""

import cv2
import numpy as np
import pytest
import skimage.data

from vidstyle.segment.tracking.tracker import Tracker
from vidstyle.segment.tracking.traits import Traits, colourfulness


def without_colour(image, tint=(1.0, 1.0, 1.0)):
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None] * np.float32(tint)
    return grey.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def photograph():
    return np.ascontiguousarray(skimage.data.astronaut()[:256, :320])


def test_colours_are_what_tells_colour_pictures_apart(photograph):
    lab = cv2.cvtColor(photograph, cv2.COLOR_RGB2LAB)
    assert np.array_equal(Traits.of([photograph])(photograph), lab)


@pytest.mark.parametrize("tint", [(1.0, 1.0, 1.0), (1.05, 0.95, 0.8)], ids=["grey", "sepia"])
def test_neither_greys_nor_a_tint_are_colours(photograph, tint):
    assert colourfulness(without_colour(photograph, tint)) < 2 < 4 < colourfulness(photograph)


def test_texture_tells_greys_of_the_same_lightness_apart():
    weave = np.full((64, 128, 3), 120, np.uint8)
    weave[:, 64:] += (np.indices((64, 64)).sum(0) % 2 * 40 - 20).astype(np.uint8)[..., None]
    seen = Traits.of([weave])(weave)
    plain, woven = seen[8:-8, 8:56].reshape(-1, 3), seen[8:-8, 72:-8].reshape(-1, 3)
    assert abs(plain[:, 1].mean() - woven[:, 1].mean()) < 3
    assert woven[:, 2].min() > plain[:, 2].max() + 40


def test_pale_pictures_are_told_apart_by_both(photograph):
    grey = without_colour(photograph).astype(np.float32)
    strength = 3 / colourfulness(photograph)
    pale = np.rint(grey + strength * (photograph - grey)).clip(0, 255).astype(np.uint8)
    seen = Traits.of([pale])(pale)
    colours, texture = Traits(9.0)(pale), Traits(0.0)(pale)
    between = np.minimum(colours, texture), np.maximum(colours, texture)
    assert (between[0] <= seen).all()
    assert (seen <= between[1]).all()
    assert not np.array_equal(seen, colours)
    assert not np.array_equal(seen, texture)


def test_a_black_and_white_photograph_is_followed(photo_clip, score):
    images = [without_colour(image) for image in photo_clip.images]
    tracker = Tracker()
    tracker.reset(images[0], photo_clip.truth[0])
    mattes = [tracker.step(image) for image in images[1:]]
    scores = [score(m, t) for m, t in zip(mattes, photo_clip.truth[1:], strict=True)]
    assert min(scores) > 0.8
