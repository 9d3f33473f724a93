"""Recognising a thing by its colours."""

import numpy as np
import pytest

from vidstyle.segment.keys import KeyMattes
from vidstyle.segment.mattes.store import MatteStore
from vidstyle.segment.tracking.colours import likeness, look
from vidstyle.segment.tracking.identity import KNOWN, STRANGE, Identity, alike
from vidstyle.segment.tracking.propagate import Arrival
from vidstyle.segment.tracking.recognition import Recognition
from vidstyle.segment.tracking.traits import Traits


@pytest.fixture(scope="module")
def couple(make_people):
    """The one in blue on the left and the one in orange on the right, who do not meet."""
    return make_people(16, lambda t: 80 + t, lambda t: 230 - t)


def test_one_looks_like_herself_and_not_like_another(couple):
    one, other = couple
    lab = Traits()
    first = look(lab(one.images[0]), one.truth[0] > 127)
    assert likeness(first, look(lab(one.images[9]), one.truth[9] > 127)) > KNOWN
    assert likeness(first, look(lab(other.images[9]), other.truth[9] > 127)) < STRANGE
    assert likeness(first, first) == pytest.approx(1)


def test_nothing_looks_like_nothing(couple):
    (one, _) = couple
    seen = Traits()(one.images[0])
    nothing = look(seen, np.zeros(one.size, np.bool_))
    assert likeness(nothing, look(seen)) == 0


def test_she_is_where_her_colours_are(couple):
    for clip in couple:
        identity = Identity([(clip.images[0], clip.truth[0])])
        side = float((clip.truth[9] > 127).sum()) ** 0.5
        x, y = next(identity.whereabouts(clip.images[9], side))
        assert clip.truth[9][y, x] > 127


def test_mattes_that_show_the_same_are_told_from_others(couple):
    one, other = couple
    known = [(clip.images[i], clip.truth[i]) for clip, i in ((one, 0), (other, 4), (one, 8))]
    assert sorted(alike(known, [0.5, 0.6, 0.5])) == [0, 2]
    assert alike(known, [0.5, 2.0, 0.5]) == [1]


@pytest.fixture
def recognition(couple, mobile_sam):
    (one, _) = couple
    shot = 0, one.count
    known = [(one.images[0], one.truth[0])]
    return Recognition(known, one, shot, mobile_sam, lambda: None)


def stored(folder, *mattes):
    store = MatteStore(folder, mattes[0].shape, len(mattes))
    for index, matte in enumerate(mattes):
        store.put(index, matte, 0.9)
    return store


@pytest.mark.weights
def test_mattes_that_went_over_to_another_are_corrected(couple, recognition, tmp_path, score):
    one, other = couple
    store = stored(tmp_path, *one.truth[:6], *other.truth[6:])
    images = {0: one.images[0], 8: one.images[8]}
    keys = KeyMattes(small={0: one.truth[0], 8: other.truth[8]}, images=images, by_hand={0})
    assert recognition.corrected(keys, store)
    assert len(keys.known) == 1
    found = keys.small.keys() - {0}
    assert found
    assert min(score(keys.small[i], one.truth[i]) for i in found) > 0.8


@pytest.mark.weights
def test_right_mattes_are_left_alone(couple, recognition, tmp_path):
    (one, _) = couple
    store = stored(tmp_path, *one.truth)
    keys = KeyMattes(small={0: one.truth[0], 8: one.truth[8]}, by_hand={0})
    assert not recognition.corrected(keys, store)
    recognition.judge(store)
    assert list(keys.small) == [0, 8]
    assert all((store[i] == truth).all() for i, truth in enumerate(one.truth))
    assert {store.confidence(i) for i in range(len(store))} == {0.9}


@pytest.mark.weights
def test_one_who_is_out_of_sight_is_not_swapped_for_another(make_people, mobile_sam, tmp_path):
    """She is gone; the matte goes on with the other, who was beside her before."""
    one, other = make_people(32, lambda t: 80.0 if t < 12 else -300.0, lambda _: 230.0)
    known = [(one.images[0], one.truth[0])]
    recognition = Recognition(known, one, (0, one.count), mobile_sam, lambda: None)
    store = stored(tmp_path, *one.truth[:12], *other.truth[12:])
    keys = KeyMattes(small={0: one.truth[0], 12: other.truth[12]}, by_hand={0})
    assert recognition.corrected(keys, store)
    recognition.judge(store)
    assert list(keys.small) == [0]
    assert all((store[i] > 127).any() for i in range(12))
    assert not any((store[i] > 127).any() for i in range(12, 32))


@pytest.mark.weights
def test_what_tracking_does_not_lead_to_is_withdrawn(couple, recognition, tmp_path):
    one, other = couple
    store = stored(tmp_path, *one.truth[:6], *other.truth[6:])
    keys = KeyMattes(small={0: one.truth[0]}, by_hand={0})
    recognition.corrected(keys, store)
    found = [frame for frame in keys.small if frame]
    for frame in found:
        keys.small[frame] = other.truth[frame]
    arrivals = {frame: Arrival(before=one.truth[frame]) for frame in keys.small}
    assert recognition.withdrawn(keys, arrivals)
    assert list(keys.small) == [0]
