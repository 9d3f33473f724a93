"""People who cross, leave, come back, and are cut away from, in clips whose truth is known."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from vidstyle.segment.mattes.lost import lost_ranges
from vidstyle.segment.mattes.store import bounding_box
from vidstyle.segment.objects import find_mattes
from vidstyle.segment.prompts import parse_object
from vidstyle.segment.segmenters.grabcut import GrabCut


@pytest.fixture
def find(tmp_path):
    def run(spec, clip, detector, shots=None, segmenter=None):
        tools = SimpleNamespace(segmenter=segmenter or GrabCut(), detector=detector)
        shots = shots or [(0, clip.count)]
        return find_mattes(parse_object(spec), clip, shots, tools, tmp_path, lambda _: None)

    return run


@pytest.fixture(scope="module")
def crossing(make_people):
    """Behind, from right to left, the one in blue; before her, from left to right, the other."""
    speed = 200 / 31
    return make_people(32, lambda t: 260 - speed * t, lambda t: 60 + speed * t)


@pytest.mark.parametrize("which", ["behind", "before"])
def test_people_who_cross_keep_their_identities(find, crossing, seeing, score, which):
    clip, other = crossing if which == "behind" else crossing[::-1]
    detector = seeing(*crossing)
    # The one in front is seen for longer, and so is the first.
    mattes = find("person#2" if which == "behind" else "person", clip, detector)
    apart = [*range(8), *range(25, 32)]
    whole = range(clip.count) if which == "before" else apart
    assert min(score(mattes[i], clip.truth[i]) for i in apart) > 0.8
    assert min(score(mattes[i], clip.truth[i]) for i in whole) > 0.65
    assert max(score(mattes[i], other.truth[i]) for i in apart) < 0.1


@pytest.mark.parametrize("which", ["behind", "before"])
def test_a_mask_on_either_side_holds_one_who_crosses(find, crossing, score, tmp_path, which):
    """Without a detector."""
    clip, other = crossing if which == "behind" else crossing[::-1]
    for frame in (0, 31):
        cv2.imwrite(str(tmp_path / f"{frame}.png"), clip.truth[frame])
    spec = f"mask:{tmp_path / '0.png'}+mask:{tmp_path / '31.png'}@31"
    mattes = find(spec, clip, None)
    apart = [*range(8), *range(25, 32)]
    whole = range(clip.count) if which == "before" else apart
    assert min(score(mattes[i], clip.truth[i]) for i in whole) > 0.8
    assert max(score(mattes[i], other.truth[i]) for i in apart) < 0.1


def boxed(matte):
    box = bounding_box(matte)
    return f"box:{box.x0},{box.y0},{box.x1},{box.y1}"


@pytest.mark.weights
@pytest.mark.parametrize("which", ["behind", "before"])
def test_a_box_before_they_cross_is_enough(find, crossing, score, mobile_sam, which):
    clip, other = crossing if which == "behind" else crossing[::-1]
    mattes = find(boxed(clip.truth[0]), clip, None, segmenter=mobile_sam)
    apart = [*range(8), *range(25, 32)]
    assert min(score(mattes[i], clip.truth[i]) for i in apart) > 0.7
    assert max(score(mattes[i], other.truth[i]) for i in apart) < 0.1


@pytest.mark.weights
def test_nothing_else_is_taken_for_one_who_has_left(find, make_people, score, mobile_sam):
    """Another stays where she was, and the wall has some of her colours."""
    clip, _ = make_people(32, lambda t: 80 - 8 * t, lambda _: 230)
    mattes = find(boxed(clip.truth[0]), clip, None, segmenter=mobile_sam)
    gone = [i for i, truth in enumerate(clip.truth) if not truth.any()]
    assert len(gone) > 10
    assert all((mattes[i] > 127).mean() < 0.005 for i in gone[2:])
    assert min(score(mattes[i], clip.truth[i]) for i in range(4)) > 0.8


def test_one_who_leaves_is_found_again(find, make_people, seeing, score):
    (clip,) = make_people(36, lambda t: 160 - 320 * np.sin(np.pi * t / 35))
    mattes = find("person", clip, seeing(clip))
    away = [i for i, truth in enumerate(clip.truth) if not truth.any()]
    assert len(away) > 10
    ((first, last),) = lost_ranges(mattes, [(0, clip.count)])
    assert away[0] <= first <= away[0] + 2
    assert away[-1] - 2 <= last <= away[-1]
    assert min(score(mattes[i], clip.truth[i]) for i in (*range(4), *range(32, 36))) > 0.7


def test_after_a_cut_she_is_looked_for_again(find, make_clip, seeing, score):
    clip = make_clip(24)
    for i in range(12, 24):
        clip.images[i] = np.ascontiguousarray(clip.images[i][:, ::-1])
        clip.truth[i] = np.ascontiguousarray(clip.truth[i][:, ::-1])
    mattes = find("person", clip, seeing(clip), shots=[(0, 12), (12, 24)])
    assert min(score(mattes[i], clip.truth[i]) for i in range(clip.count)) > 0.8
