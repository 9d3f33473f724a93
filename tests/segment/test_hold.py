"""Key mattes that are doubted, and things that are cut out afresh where they were lost."""

from types import SimpleNamespace

import numpy as np
import pytest

from vidstyle.media.frame import Box
from vidstyle.segment.detectors.detector import Detection
from vidstyle.segment.keys import Correction, KeyMattes
from vidstyle.segment.mattes.store import bounding_box
from vidstyle.segment.tracking.hold import ROUNDS, hold
from vidstyle.segment.tracking.linking import Sighting
from vidstyle.segment.tracking.propagate import passes


class Knowing:
    """A ``Segmenter`` that knows the true matte of every picture, or finds nothing."""

    name = "knowing"
    renews = False

    def __init__(self, clip, blind=False):
        self._truth = {i.tobytes(): t for i, t in zip(clip.images, clip.truth, strict=True)}
        self._blind, self.asked = blind, 0

    def segment(self, image, boxes=(), points=(), hint=None):  # noqa: ARG002
        self.asked += 1
        return self._truth[image.tobytes()] * (not self._blind)


def thing_of(clip, mattes, seen, score=0.8):
    """A thing that was found by name, with its key mattes, and where else it was ``seen``."""
    boxes = {f: bounding_box(clip.truth[f]) for f in {*mattes, *seen}}
    sighting = Sighting("person", {f: Detection("person", score, b) for f, b in boxes.items()})
    return KeyMattes(dict(mattes), {}, {f: clip.images[f] for f in mattes}, None, sighting)


@pytest.fixture
def held(tmp_path):
    """Holds a thing: its mattes, and how many frames were told to be tracked."""

    def run(thing, clip, segmenter):
        ticks = []
        store = hold(
            thing, clip, (0, clip.count), segmenter, tmp_path, lambda: ticks.append(1)
        )  # fmt: skip
        return SimpleNamespace(mattes=store, ticks=len(ticks))

    return run


@pytest.fixture(scope="module")
def wrong(photo_clip):
    """A matte of something else: a corner of the coffee table."""
    matte = np.zeros(photo_clip.size, np.uint8)
    matte[100:170, 200:260] = 255
    return matte


@pytest.fixture(scope="module")
def vanishing(make_clip):
    """She is not there in frames 4 to 9, and then far from where she was."""
    clip, later = make_clip(16), make_clip(40)
    (_, empty) = make_clip(2, speed=1000.0).images
    for i in range(4, 10):
        clip.images[i], clip.truth[i] = empty, np.zeros(clip.size, np.uint8)
    clip.images[10:], clip.truth[10:] = later.images[34:], later.truth[34:]
    return clip


def test_a_key_matte_that_its_neighbours_contradict_is_dropped(
    held, photo_clip, wrong, score, caplog
):
    truth = photo_clip.truth
    thing = thing_of(photo_clip, {0: truth[0], 8: wrong, 15: truth[15]}, seen=[], score=0.3)
    segmenter = Knowing(photo_clip)
    with caplog.at_level("INFO"):
        result = held(thing, photo_clip, segmenter)
    assert sorted(thing.small) == sorted(thing.images) == [0, 15]
    assert segmenter.asked == 0
    assert "frame 8: its matte contradicts" in caplog.text
    assert score(result.mattes[8], truth[8]) > 0.8


def test_what_replaces_it_is_cut_out_where_it_is_clearly_seen(held, photo_clip, wrong):
    truth = photo_clip.truth
    thing = thing_of(photo_clip, {0: truth[0], 8: wrong, 15: truth[15]}, seen=[])
    result = held(thing, photo_clip, Knowing(photo_clip))
    assert sorted(thing.small) == [0, 8, 15]
    assert np.array_equal(result.mattes[8], truth[8])


def test_a_key_matte_that_fits_is_kept(held, photo_clip):
    truth = photo_clip.truth
    thing = thing_of(photo_clip, {f: truth[f] for f in (0, 8, 15)}, seen=[])
    expected = passes(thing.small, (0, 16))
    result = held(thing, photo_clip, Knowing(photo_clip))
    assert sorted(thing.small) == [0, 8, 15]
    assert np.array_equal(result.mattes[8], truth[8])
    assert result.ticks == expected


def test_what_the_user_pointed_at_is_not_doubted(held, photo_clip, wrong):
    truth = photo_clip.truth
    thing = thing_of(photo_clip, {0: truth[0], 8: wrong, 15: truth[15]}, seen=[])
    thing.sighting = None
    result = held(thing, photo_clip, Knowing(photo_clip))
    assert np.array_equal(result.mattes[8], wrong)


class Believing:
    """A ``Segmenter`` that takes every hint."""

    name, renews = "believing", True

    def segment(self, image, boxes=(), points=(), hint=None, outside=()):  # noqa: ARG002
        return hint


@pytest.mark.parametrize("drawn", [False, True], ids=["cut", "drawn"])
def test_what_one_key_matte_alone_has_is_cut_off_unless_it_was_drawn(
    held, photo_clip, score, drawn
):
    truth = photo_clip.truth
    tower = truth[8].copy()
    x0 = bounding_box(truth[8]).x1
    tower[60:130, x0 : x0 + 12] = 255
    thing = thing_of(photo_clip, {0: truth[0], 8: tower, 15: truth[15]}, seen=[])
    thing.by_hand = {8} if drawn else set()
    result = held(thing, photo_clip, Believing())
    assert (score(result.mattes[8], truth[8]) > 0.93) != drawn
    assert np.array_equal(result.mattes[8], tower) == drawn


def test_where_it_is_seen_and_was_lost_it_is_cut_out_afresh(held, vanishing, score, caplog):
    thing = thing_of(vanishing, {0: vanishing.truth[0]}, seen=[12])
    segmenter = Knowing(vanishing)
    with caplog.at_level("INFO"):
        result = held(thing, vanishing, segmenter)
    assert sorted(thing.small) == [0, 12]
    assert segmenter.asked == 1
    assert "frame 12: the object is seen where it was not tracked" in caplog.text
    assert min(score(result.mattes[i], vanishing.truth[i]) for i in range(11, 16)) > 0.8
    assert result.ticks == 16  # later rounds are not told


def test_a_doubtful_detection_is_not_believed(held, vanishing):
    thing = thing_of(vanishing, {0: vanishing.truth[0]}, seen=[12], score=0.3)
    segmenter = Knowing(vanishing)
    held(thing, vanishing, segmenter)
    assert sorted(thing.small) == [0]
    assert segmenter.asked == 0


def test_a_segmenter_that_finds_nothing_ends_the_search(held, vanishing, caplog):
    thing = thing_of(vanishing, {0: vanishing.truth[0]}, seen=[12])
    segmenter = Knowing(vanishing, blind=True)
    held(thing, vanishing, segmenter)
    assert sorted(thing.small) == [0]
    assert segmenter.asked == ROUNDS - 1
    assert "frame 12: the segmenter finds nothing" in caplog.text


def test_what_was_drawn_by_hand_outweighs_other_cuts_across_the_shot(
    held, photo_clip, score, caplog
):
    """Every cut by itself lacks the upper half of her, and all of them agree in that."""
    halves = {f: photo_clip.truth[f].copy() for f in (2, 6, 10, 14)}
    for half in halves.values():
        box = bounding_box(half)
        half[: (box.y0 + box.y1) // 2] = 0
    by_itself = held(thing_of(photo_clip, halves, []), photo_clip, Knowing(photo_clip, blind=True))
    assert max(score(by_itself.mattes[i], photo_clip.truth[i]) for i in range(16)) < 0.7
    thing = thing_of(photo_clip, halves, [])
    thing.small[8], thing.images[8] = photo_clip.truth[8], photo_clip.images[8]
    thing.given[8], thing.by_hand = photo_clip.truth[8], {8}
    with caplog.at_level("INFO"):
        mattes = held(thing, photo_clip, Knowing(photo_clip, blind=True)).mattes
    assert min(score(mattes[i], photo_clip.truth[i]) for i in range(16)) > 0.85
    assert "frame 14: the matte drawn by hand overrules this one" in caplog.text


def test_where_the_hand_s_word_is_lost_what_is_clearly_seen_counts(held, vanishing, score):
    """She is hidden in the middle: what was drawn before cannot be tracked to what comes after."""
    last = vanishing.count - 1
    thing = thing_of(vanishing, {last: vanishing.truth[last]}, [])
    thing.small[0], thing.images[0] = vanishing.truth[0], vanishing.images[0]
    thing.given[0], thing.by_hand = vanishing.truth[0], {0}
    mattes = held(thing, vanishing, Knowing(vanishing)).mattes
    assert score(mattes[0], vanishing.truth[0]) > 0.9
    assert score(mattes[last], vanishing.truth[last]) > 0.9


def test_what_is_said_not_to_be_the_thing_goes_across_the_shot(held, photo_clip, score):
    """A box in one frame, over the lower half of what was cut out in another."""
    box = bounding_box(photo_clip.truth[8])
    lower = Box(0, (box.y0 + box.y1) // 2, photo_clip.size[1], photo_clip.size[0])
    thing = thing_of(photo_clip, {2: photo_clip.truth[2]}, [])
    thing.corrections[8] = Correction(boxes=[lower])
    mattes = held(thing, photo_clip, Knowing(photo_clip, blind=True)).mattes
    upper = [truth.copy() for truth in photo_clip.truth]
    for half in upper:
        box = bounding_box(half)
        half[(box.y0 + box.y1) // 2 :] = 0
    assert min(score(mattes[i], upper[i]) for i in range(16)) > 0.75
