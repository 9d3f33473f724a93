"""Which frames an object that is found by name is cut out in."""

from types import SimpleNamespace

import numpy as np
import pytest

from vidstyle.errors import Cancelled
from vidstyle.media.frame import Box
from vidstyle.segment.detectors.detector import Detection
from vidstyle.segment.keys import find_keys
from vidstyle.segment.prompts import parse_object

RIDER, BICYCLE = Box(20, 10, 40, 50), Box(15, 30, 45, 60)
FRAMES = 40


class Filling:
    """A ``Segmenter`` whose answer is the whole of a box."""

    name, renews = "filling", False

    def segment(self, image, boxes=(), points=(), hint=None, outside=()):  # noqa: ARG002
        matte = np.zeros(image.shape[:2], np.uint8)
        for box in boxes:
            matte[box.rows, box.columns] = 255
        return matte


@pytest.fixture
def frames(make_clip):
    """The key frames of each thing in a clip whose ``Detector`` sees a rider in every frame, and
    the bicycle in those before ``missed``."""
    clip = make_clip(FRAMES)
    numbers = {image.tobytes(): number for number, image in enumerate(clip.images)}

    def find(spec, missed):
        def detect(image, names=(), faint=False):  # noqa: ARG001
            found = [Detection("person", 0.5, RIDER)]
            if numbers[image.tobytes()] < missed:
                found.append(Detection("bicycle", 0.8, BICYCLE))
            return found

        detector = SimpleNamespace(detect=detect, name_of=lambda word: word)
        things = find_keys(parse_object(spec), clip, (0, FRAMES), Filling(), detector)
        return [sorted(thing.small) for thing in things]

    return find


@pytest.mark.parametrize("after", [1, 10, 15])
def test_looking_and_cutting_out_can_be_broken_off_at_any_frame(make_clip, after):
    """Ten frames are looked at before any is cut out."""
    looked, cut, calls = [], [], []

    class Counting(Filling):
        def segment(self, image, boxes=(), **hints):
            cut.append(image)
            return super().segment(image, boxes, **hints)

    def detect(image, *_):
        looked.append(image)
        return [Detection("person", 0.5, RIDER)]

    def go_on():
        calls.append(1)
        if len(calls) == after:
            raise Cancelled("cancelled")

    detector = SimpleNamespace(detect=detect, name_of=lambda word: word)
    person = parse_object("person")
    with pytest.raises(Cancelled):
        find_keys(person, make_clip(FRAMES), (0, FRAMES), Counting(), detector, go_on=go_on)
    assert (len(looked), len(cut)) == (min(after, 10), max(after - 10, 0))


def test_a_rider_is_cut_out_where_the_bicycle_overlaps_as_it_usually_does(frames):
    (rider,) = frames("person", missed=30)
    assert len(rider) == 8


def test_a_rider_is_cut_out_where_the_bicycle_seldom_overlaps_only_when_both_are_asked_for(frames):
    (rider,) = frames("person", missed=10)
    assert min(rider) >= 10
    rider, bicycle = frames("person+bicycle", missed=10)
    assert min(rider) < 10
    assert bicycle
