"""Key mattes renewed on the way: when the segmenter is asked, and what becomes of its answer."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from vidstyle.segment.keys import KeyMattes
from vidstyle.segment.mattes.store import MatteStore, agreement, bounding_box
from vidstyle.segment.objects import find_mattes
from vidstyle.segment.prompts import parse_object
from vidstyle.segment.segmenters.sam import Sam
from vidstyle.segment.tracking.propagate import propagate
from vidstyle.segment.tracking.renewal import DENSE, REST, SPARSE, Renewal
from vidstyle.segment.tracking.tracker import Tracker


class Answering:
    """A ``Segmenter`` that answers each hint with what it is told to, and remembers the frames."""

    name = "answering"
    renews = True

    def __init__(self, clip, answer):
        self._frames = {image.tobytes(): i for i, image in enumerate(clip.images)}
        self._answer, self.asked = answer, []

    def segment(self, image, boxes=(), points=(), hint=None):  # noqa: ARG002
        self.asked.append(self._frames[image.tobytes()])
        return self._answer(self.asked[-1], hint)


@pytest.fixture(scope="module")
def clip(make_clip):
    return make_clip(26, size=(90, 136), speed=2.0)


@pytest.fixture
def thing(clip):
    return KeyMattes({4: clip.truth[4]}, {}, {4: clip.images[4]})


@pytest.fixture
def tracker(clip):
    return Tracker(known=[(clip.images[4], clip.truth[4])])


@pytest.fixture
def renew(clip, tmp_path):
    """Tracks a thing through the clip, both ways, with new key mattes on the way."""

    def run(thing, tracker, segmenter, every=DENSE):
        stores = [MatteStore(tmp_path / name, clip.size, clip.count) for name in ("to", "back")]
        shot, renewal = (0, clip.count), Renewal(segmenter, clip.count, every=every)
        propagate(thing.small, clip, shot, tracker, *stores, lambda: None, renewal)
        return stores[0]

    return run


@pytest.mark.parametrize("every", [DENSE, SPARSE])
def test_frames_at_equal_distances_are_bettered_both_ways(renew, clip, tracker, every):
    for key in (4, 24):
        segmenter = Answering(clip, lambda frame, _: clip.truth[frame])
        thing = KeyMattes({key: clip.truth[key]}, {}, {})
        renew(thing, tracker, segmenter, every)
        onwards, back = range(key + every, clip.count, every), range(key - every, -1, -every)
        assert segmenter.asked == [*onwards, *back]
        assert thing.small.keys() == {key, *onwards, *back}
        assert all(np.array_equal(thing.small[f], clip.truth[f]) for f in thing.small)


def test_where_confidence_falls_it_is_asked_at_once(renew, clip, thing):
    class Wavering(Tracker):
        """Sure of nothing."""

        confidence = 0.3

    segmenter = Answering(clip, lambda frame, _: clip.truth[frame])
    renew(thing, Wavering(), segmenter, SPARSE)
    assert segmenter.asked == [*range(4 + REST, 26, REST), 4 - REST]


def test_what_is_asked_in_turn_goes_on_when_no_more_is_asked_out_of_turn(clip, monkeypatch):
    monkeypatch.setattr("vidstyle.segment.tracking.renewal.MOST", 2)
    segmenter = Answering(clip, lambda _, hint: hint)
    renewal, every = Renewal(segmenter, clip.count, every=SPARSE), clip.count // 2
    for _ in range(2):
        for frame in range(clip.count):
            renewal.renewed(frame, clip.images[frame], clip.truth[frame], 0.3)
    steps = [REST, 2 * REST, *range(2 * REST + every, 2 * clip.count + 1, every)]
    assert segmenter.asked == [(step - 1) % clip.count for step in steps]


def test_an_answer_that_is_another_object_is_not_taken(renew, clip, thing, tracker):
    segmenter = Answering(clip, lambda _, hint: hint[::-1, ::-1].copy())
    renew(thing, tracker, segmenter)
    assert segmenter.asked
    assert sorted(thing.small) == [4]


def test_what_one_key_matte_has_goes_on_to_those_that_miss_it(clip, tmp_path):
    """She is whole in frame 8; the others lack her hair. By hand that stands; by itself it is cut
    again, and in both directions, since one round of tracking is enough."""

    def half(matte):
        box, matte = bounding_box(matte), matte.copy()
        matte[: box.y0 + (box.y1 - box.y0) * 3 // 10] = 0
        return matte

    segmenter = Answering(clip, lambda _, hint: hint)
    for settled, bettered in ((None, ()), ({2, 8, 14}, ()), ((), (2, 14)), ({2}, (14,))):
        keys = {2: half(clip.truth[2]), 8: clip.truth[8], 14: half(clip.truth[14])}
        renewal = Renewal(segmenter, clip.count, settled, SPARSE)
        stores = [MatteStore(tmp_path / name, clip.size, clip.count) for name in ("to", "back")]
        propagate(keys, clip, (0, 16), Tracker(), *stores, lambda: None, renewal)
        assert (renewal.changed > 0) == (bettered != ())
        whole = [agreement(keys[f], clip.truth[f]) > 0.87 for f in (2, 8, 14)]
        assert whole == [2 in bettered, True, 14 in bettered]


def test_a_hidden_thing_is_not_asked_about(renew, clip, tracker):
    segmenter = Answering(clip, lambda _, hint: hint)
    thing = KeyMattes({4: np.zeros(clip.size, np.uint8)}, {}, {})
    renew(thing, tracker, segmenter)
    assert not segmenter.asked


def test_sam_looks_at_no_frame_that_it_is_not_needed_in(clip, tiny_sam, tmp_path):
    """The package's own network: its image encoder runs every few frames, once, however often
    the clip is tracked. Untrained, it sees nothing, and tracking goes on without its answers."""
    cv2.imwrite(str(tmp_path / "mask.png"), clip.truth[0])
    looks = []
    tiny_sam.image_encoder.register_forward_hook(lambda *_: looks.append(1))
    mattes = find_mattes(
        parse_object(f"mask:{tmp_path / 'mask.png'}"),
        clip,
        [(0, clip.count)],
        SimpleNamespace(segmenter=Sam(tiny_sam), detector=None),
        tmp_path / "mattes",
        lambda _: None,
    )
    assert len(looks) == (clip.count - 1) // DENSE
    assert all(mattes.box(i) for i in range(clip.count))
