"""Things that pass behind others, in clips whose truth is known."""

import cv2
import numpy as np
import skimage.data

from vidstyle.segment.mattes.store import MatteStore
from vidstyle.segment.tracking.propagate import propagate
from vidstyle.segment.tracking.renewal import Renewal
from vidstyle.segment.tracking.tracker import Tracker

HEIGHT, WIDTH, SIDE = 240, 426, 72
FRAMES = 48
BLUE = np.full((SIDE, SIDE, 3), (60, 110, 220), np.uint8)


def behind_a_pole(face, pole):
    """Pictures and true mattes of a disc that shows ``face`` and passes behind a pole of so many
    pixels, at six a frame."""
    table = cv2.resize(skimage.data.coffee(), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(0).integers(70, 130, (HEIGHT // 4, pole // 4 + 1, 3), np.uint8)
    bark = cv2.resize(noise, (pole, HEIGHT), interpolation=cv2.INTER_CUBIC)
    hidden = slice((WIDTH - pole) // 2, (WIDTH + pole) // 2)
    pictures, mattes = [], []
    for frame in range(FRAMES):
        x, y = 60 + 6 * frame, HEIGHT / 2
        away = np.hypot(np.arange(WIDTH) + 0.5 - x, np.arange(HEIGHT)[:, None] + 0.5 - y)
        alpha = np.clip(SIDE / 2 - away + 0.5, 0, 1)
        shift = np.array([[1, 0, x - SIDE / 2], [0, 1, y - SIDE / 2]])
        disc = cv2.warpAffine(face, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        picture = table + alpha[..., None] * (disc - table.astype(float))
        picture[:, hidden], alpha[:, hidden] = bark, 0
        pictures.append(np.rint(picture).astype(np.uint8))
        mattes.append(np.rint(255 * alpha).astype(np.uint8))
    return pictures, mattes


def steps(pictures, key):
    """The tracker after each picture, with its matte."""
    tracker = Tracker()
    tracker.reset(pictures[0], key)
    for picture in pictures[1:]:
        yield tracker, tracker.step(picture)


def test_a_plain_disc_is_held_in_slices_behind_a_narrower_pole(score):
    pictures, truth = behind_a_pole(BLUE, pole=50)
    mattes = [matte for _, matte in steps(pictures, truth[0])]
    assert min(map(score, mattes, truth[1:])) > 0.9


def test_what_was_hidden_is_found_again_and_meanwhile_said_to_be_lost(score):
    face = cv2.resize(skimage.data.astronaut()[:300, 80:380], (SIDE, SIDE))
    pictures, truth = behind_a_pole(face, pole=90)
    away = [i for i, matte in enumerate(truth) if not matte.any()]
    assert len(away) > 2
    for frame, (tracker, matte) in enumerate(steps(pictures, truth[0]), 1):
        if frame in away:
            assert tracker.hidden
            assert tracker.confidence == 0
            assert not matte.any()
        elif frame > away[-1] + 5:
            assert not tracker.hidden
            assert score(matte, truth[frame]) > 0.85


def test_a_matte_does_not_go_away_with_whoever_passes_before_it(make_people, score):
    stays, passes = make_people(48, lambda _: 160.0, lambda t: 40 + 5 * t)
    *_, (_, matte) = steps(stays.images, stays.truth[0])
    assert score(matte, stays.truth[-1]) > 0.5
    assert score(matte, passes.truth[-1]) < 0.2


class Believing:
    """A ``Segmenter`` that takes every hint."""

    name, renews = "believing", True

    def segment(self, image, boxes=(), points=(), hint=None, outside=()):  # noqa: ARG002
        return hint


def test_what_hides_a_thing_is_not_taken_for_it(photo_clip, tmp_path, score):
    pictures, truth = behind_a_pole(BLUE, pole=90)
    clip, keys = type(photo_clip)(pictures, truth), {0: truth[0]}
    stores = [MatteStore(tmp_path / name, clip.size, FRAMES) for name in ("to", "back")]
    renewal = Renewal(Believing(), FRAMES)
    propagate(keys, clip, (0, FRAMES), Tracker(), *stores, lambda: None, renewal)
    assert max(keys) > 30
    assert min(score(keys[frame], truth[frame]) for frame in keys) > 0.8
