"""What two networks that know only people contribute to a person's matte; by their real weights."""

from types import SimpleNamespace

import numpy as np
import pytest
import skimage.data

from vidstyle.errors import WeightsError
from vidstyle.media.frame import Box
from vidstyle.models.weights import find
from vidstyle.options import RenderOptions
from vidstyle.pipeline.parts import build_parts
from vidstyle.segment.keys import KeyMattes
from vidstyle.segment.mattes.store import bounding_box
from vidstyle.segment.people.networks import Person, PersonNetworks, as_matte
from vidstyle.segment.people.witness import PersonWitness
from vidstyle.segment.segmenters.voting import PeopleVote
from vidstyle.segment.tracking.tracker import Tracker


@pytest.fixture(scope="module")
def person(portrait):
    """The astronaut's photograph without the helmet in her hand, which belongs to her or does not,
    and her matte."""
    picture, truth = portrait
    return picture[:, :340].copy(), np.where(truth[:, :340] > 0, np.uint8(255), np.uint8(0))


class Answering:
    """A ``Segmenter`` with one answer, which records what it was asked."""

    name, renews = "answering", True

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def segment(self, image, boxes=(), points=(), hint=None, outside=()):  # noqa: ARG002
        self.asked.append({"boxes": boxes, "points": points, "hint": hint, "outside": outside})
        return self.answer


def disagreeing(truth):
    """What Segment Anything may answer: without her hair, and with a piece of the wall."""
    answer = truth.copy()
    answer[:90] = 0
    answer[20:160, 20:130] = 255
    return answer


@pytest.mark.weights
def test_both_see_someone_whom_the_frame_cuts_off_at_the_waist(person_networks, person, score):
    picture, truth = person
    seen = person_networks.look(picture, bounding_box(truth))
    assert score(as_matte(seen.body), truth) > 0.9
    assert score(as_matte(seen.portrait), truth) > 0.85


@pytest.mark.weights
@pytest.mark.parametrize("expected", [True, False])
def test_a_witness_confirms_people_only(person_networks, person, expected):
    witness = PersonWitness(person_networks, expected)
    coffee = skimage.data.coffee()
    cup = np.zeros(coffee.shape[:2], np.uint8)
    cup[60:330, 150:450] = 255
    assert witness.confirm(coffee, cup) is None
    picture, truth = person
    face = np.zeros_like(truth)
    face[30:130, 170:280] = 255
    # Where a person was detected, a matte may be poor.
    assert (witness.confirm(picture, face) is None) is not expected
    assert witness.confirm(picture, np.zeros_like(truth)) is None
    assert PersonWitness(person_networks, expected=True).confirm(picture, truth) is not None


def test_where_the_two_disagree_others_decide():
    body = np.array([[0.99, 0.01, 0.99, 0.7, 0.2]], np.float32)
    portrait = np.array([[0.9, 0.3, 0.1, 0.99, 0.5]], np.float32)
    odds = Person(body, portrait, 1.0).log_odds()
    assert odds[0] == pytest.approx([np.log(9), np.log(3 / 7), 0, np.log(7 / 3), 0], abs=1e-5)


@pytest.mark.weights
def test_what_both_are_certain_of_overrules_the_segmenter(person_networks, person, score):
    picture, truth = person
    answer = disagreeing(truth)
    base = Answering(answer)
    vote = PeopleVote(base, PersonWitness(person_networks)).knowing("person")
    matte = vote.segment(picture, [bounding_box(truth)])
    assert score(answer, truth) < 0.85
    assert score(matte, truth) > 0.94
    assert [asked["hint"] is None for asked in base.asked] == [True, False]


@pytest.mark.weights
@pytest.mark.parametrize(
    "prompts",
    [
        {"points": [(200, 300)]},
        {"boxes": [Box(20, 5, 330, 511)], "outside": [(60, 60)]},
        {"boxes": [Box(20, 5, 330, 511), Box(0, 0, 40, 40)]},
    ],
)
def test_whoever_says_more_than_a_box_is_not_overruled(person_networks, person, prompts):
    picture, truth = person
    answer = disagreeing(truth)
    vote = PeopleVote(Answering(answer), PersonWitness(person_networks, expected=True))
    assert np.array_equal(vote.segment(picture, **prompts), answer)


@pytest.mark.weights
def test_a_tracker_is_led_back_to_the_person(person_networks, person, score):
    """From a key matte that is wrong; without a witness it stays so."""
    picture, truth = person
    mattes = {}
    for witness in (None, PersonWitness(person_networks, expected=True)):
        tracker = Tracker(witness=witness)
        tracker.reset(picture, disagreeing(truth))
        mattes[witness is not None] = tracker.step(picture.copy())
    assert score(mattes[False], truth) < 0.85
    assert score(mattes[True], truth) > 0.93


@pytest.mark.weights
def test_a_matte_that_shows_nobody_is_doubted(person_networks, person):
    """It was detected as a person, and is a piece of the wall behind her."""
    picture, _ = person
    wall = np.zeros(picture.shape[:2], np.uint8)
    wall[20:160, 10:120] = 255
    told = []
    for witness in (
        None,
        PersonWitness(person_networks),
        PersonWitness(person_networks, expected=True),
    ):
        tracker = Tracker(witness=witness)
        tracker.reset(picture, wall)
        tracker.step(picture.copy())
        told.append(tracker.confidence)
    assert told[0] == told[1] > 0.7
    assert told[2] <= 0.4


def test_hands_are_not_overruled():
    alone = Answering(np.zeros((4, 4), np.uint8))
    vote = PeopleVote(alone, PersonWitness(SimpleNamespace()))
    seen = SimpleNamespace(name="person")
    assert KeyMattes(sighting=seen).suited(vote).witness.expected
    assert KeyMattes(sighting=SimpleNamespace(name="dog")).suited(vote) is alone
    assert KeyMattes(sighting=SimpleNamespace(name="my aunt")).suited(vote) is vote
    assert KeyMattes(by_hand={0}, boxed=True).suited(vote) is vote
    assert KeyMattes(by_hand={0}).suited(vote) is alone
    assert KeyMattes(sighting=seen, by_hand={3}).suited(vote) is alone
    assert KeyMattes(sighting=seen, corrections={3: None}).suited(vote) is alone
    assert KeyMattes(sighting=seen).suited(alone) is alone


@pytest.mark.weights
def test_they_help_with_mobile_sam_if_they_are_here(monkeypatch, tmp_path, person_networks):  # noqa: ARG001
    if find("mobile-sam") is None:
        pytest.skip("mobile-sam is not fetched (VIDSTYLE_MODEL_PATH)")
    parts = build_parts(RenderOptions(device="cpu", segmenter="mobile-sam"))
    assert parts.names()["people"] == "mediapipe-person"
    assert isinstance(parts.segmenter, PeopleVote)
    assert parts.segmenter.name == "mobile-sam"
    assert build_parts(RenderOptions(segmenter="grabcut")).names()["people"] == "none"
    folder = tmp_path / "models"
    folder.mkdir()
    sam = find("mobile-sam")
    for name in (sam.name, "mobile_sam_decoder.safetensors"):
        (folder / name).symlink_to(sam.with_name(name))
    monkeypatch.setenv("VIDSTYLE_MODEL_PATH", str(folder))
    monkeypatch.setattr("vidstyle.models.weights.cache_folder", lambda: tmp_path / "none")
    without = build_parts(RenderOptions(device="cpu", segmenter="mobile-sam"))
    assert without.names()["people"] == "none"
    assert not isinstance(without.segmenter, PeopleVote)


@pytest.mark.parametrize("content", [b"", b"no network at all"])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "pose_landmark_full.tflite"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"pose_landmark_full\.tflite.*models fetch"):
        PersonNetworks(path, path)
