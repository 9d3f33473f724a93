"""From a prompt to a matte for every frame."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from vidstyle.errors import MediaError, ObjectNotFoundError, UsageError, WeightsError
from vidstyle.segment.clip import LONG_SIDE, small_frames_backwards
from vidstyle.segment.detectors.coco import NAMES
from vidstyle.segment.detectors.detector import Detection
from vidstyle.segment.detectors.vocabulary import name_for
from vidstyle.segment.mattes.store import bounding_box
from vidstyle.segment.objects import find_mattes
from vidstyle.segment.prompts import parse_object
from vidstyle.segment.search import looked_at
from vidstyle.segment.segmenters.grabcut import GrabCut


class FakeDetector:
    """A ``Detector`` that answers with the true box of every picture that is not in ``blind``,
    and invents a dog once.

    It knows a picture by its content, as a detector does.
    """

    def __init__(self, clip, blind=(), name="person"):
        self._known = {
            image.tobytes(): (i, bounding_box(truth))
            for i, (image, truth) in enumerate(zip(clip.images, clip.truth, strict=True))
        }
        self._blind, self._name = set(blind), name
        self.name = "fake"

    def name_of(self, word):
        return name_for(word, NAMES)

    def detect(self, image, names=(), faint=False):  # noqa: ARG002
        index, box = self._known[image.tobytes()]
        found = [] if index in self._blind or box is None else [Detection(self._name, 0.8, box)]
        if index == 9:
            found.append(Detection("dog", 0.3, bounding_box(np.ones((20, 20), np.uint8))))
        return found


@pytest.fixture
def find(tmp_path):
    """``find_mattes`` with GrabCut over one shot, or the given ones."""

    def run(spec, clip, shots=None, detector=None, progress=lambda _: None):
        tools = SimpleNamespace(segmenter=GrabCut(), detector=detector)
        shots = shots or [(0, clip.count)]
        return find_mattes(parse_object(spec), clip, shots, tools, tmp_path / "mattes", progress)

    return run


@pytest.fixture
def mask(tmp_path, photo_clip):
    """Writes the true matte of a frame and returns its path."""

    def write(frame):
        path = tmp_path / f"mask{frame}.png"
        cv2.imwrite(str(path), photo_clip.truth[frame])
        return path

    return write


def scores(mattes, clip, score):
    return [score(mattes[i], clip.truth[i]) for i in range(clip.count)]


def test_a_mask_in_the_first_frame_is_tracked(find, mask, photo_clip, score):
    done = []
    mattes = find(f"mask:{mask(0)}", photo_clip, progress=done.append)
    assert len(mattes) == photo_clip.count
    assert min(scores(mattes, photo_clip, score)) > 0.88
    assert np.array_equal(mattes[0], photo_clip.truth[0])
    assert mattes.box(3) == bounding_box(mattes[3])
    assert sum(done) == photo_clip.count


def test_a_mask_in_the_middle_is_tracked_both_ways(find, mask, photo_clip, score):
    mattes = find(f"mask:{mask(8)}@8", photo_clip)
    assert min(scores(mattes, photo_clip, score)) > 0.88


def test_two_masks_pin_both_frames(find, mask, photo_clip, score):
    done = []
    mattes = find(f"mask:{mask(2)}@2+mask:{mask(13)}@13", photo_clip, progress=done.append)
    assert min(scores(mattes, photo_clip, score)) > 0.88
    for frame in (2, 13):
        assert np.array_equal(mattes[frame], photo_clip.truth[frame])
        assert mattes.confidence(frame) == 1
    assert all(0.5 < mattes.confidence(frame) < 1 for frame in (0, 1, *range(3, 13), 14, 15))
    assert sum(done) == photo_clip.count


def test_a_mask_corrects_what_was_found_by_name(find, tmp_path, photo_clip):
    """Half of her is painted out in one frame: so that frame is, and so is the shot, which shows
    her whole by name alone."""
    half = photo_clip.truth[8].copy()
    box = bounding_box(half)
    half[: (box.y0 + box.y1) // 2] = 0
    cv2.imwrite(str(tmp_path / "half.png"), half)

    def areas(spec):
        mattes = find(spec, photo_clip, detector=FakeDetector(photo_clip))
        return mattes, [int((mattes[i] > 127).sum()) for i in range(photo_clip.count)]

    mattes, corrected = areas(f"person+mask:{tmp_path / 'half.png'}@8")
    assert np.array_equal(mattes[8], half)
    assert mattes.confidence(8) == 1
    _, found = areas("person")
    assert all(0.2 * f < c < 0.75 * f for c, f in zip(corrected, found, strict=True))


def test_a_box_is_enough(find, photo_clip, score):
    box = bounding_box(photo_clip.truth[4])
    mattes = find(f"box:{box.x0},{box.y0},{box.x1},{box.y1}@4", photo_clip)
    assert np.mean(scores(mattes, photo_clip, score)) > 0.8
    # How good a cut is, only the frames beside it can tell.
    assert mattes.confidence(4) == min(mattes.confidence(3), mattes.confidence(5)) < 1


@pytest.mark.parametrize("missing", [{5}, {5, 6, 7}, {0, 1}, {13, 14}])
@pytest.mark.parametrize("frame", [2, 6, 15])
def test_frames_that_cannot_be_decoded_move_no_matte(find, photo_clip, score, missing, frame):
    """Not even if the prompt is for one of them."""
    box = bounding_box(photo_clip.truth[frame])
    clip = type(photo_clip)(photo_clip.images, photo_clip.truth, missing)
    mattes = find(f"box:{box.x0},{box.y0},{box.x1},{box.y1}@{frame}", clip)
    assert all(mattes.box(i) for i in range(clip.count)), "lost nowhere"
    seen = [i for i in range(clip.count) if i not in missing]
    assert min(score(mattes[i], clip.truth[i]) for i in seen) > 0.6


def test_a_name_is_found_though_frames_cannot_be_decoded(find, photo_clip, score):
    missing = {looked_at((0, 16))[1], 9, 10, 11}
    clip = type(photo_clip)(photo_clip.images, photo_clip.truth, missing)
    mattes = find("person", clip, detector=FakeDetector(photo_clip))
    seen = [i for i in range(clip.count) if i not in missing]
    assert np.mean([score(mattes[i], clip.truth[i]) for i in seen]) > 0.8


def test_a_mask_of_one_of_two_leaves_the_other(find, tmp_path, make_people, seeing):
    left, right = make_people(10, lambda t: 60 + t, lambda t: 200 + t)
    cv2.imwrite(str(tmp_path / "left.png"), left.truth[5])
    detector = seeing(left, right)
    mattes = find(f"person#1+person#2+mask:{tmp_path / 'left.png'}@5", left, detector=detector)
    for clip in (left, right):
        own = [mattes[i][clip.truth[i] > 127].mean() for i in (4, 5, 6)]
        assert min(own) > 150, own
    assert (mattes[5] >= left.truth[5]).all()


def test_a_point_narrows_the_mask_of_its_frame(find, tmp_path, photo_clip, two_discs):
    picture, left, right = two_discs
    cv2.imwrite(str(tmp_path / "both.png"), np.maximum(left, right))
    clip = type(photo_clip)([picture] * 3, [left] * 3)
    mattes = find(f"mask:{tmp_path / 'both.png'}+-point:200,80", clip)
    for i in range(clip.count):
        assert mattes[i][left > 0].mean() > 200
        assert mattes[i][right > 0].mean() < 50


def test_a_name_is_found_though_frames_are_missed(find, photo_clip, score):
    detector = FakeDetector(photo_clip, blind=range(0, 16, 3))
    mattes = find("people", photo_clip, detector=detector)
    assert np.mean(scores(mattes, photo_clip, score)) > 0.8


def test_all_holds_the_object_and_no_invention(find, photo_clip, score):
    mattes = find("all", photo_clip, detector=FakeDetector(photo_clip))
    assert np.mean(scores(mattes, photo_clip, score)) > 0.8


def test_prompts_act_within_their_shot(find, mask, photo_clip, caplog):
    mattes = find(f"mask:{mask(10)}@10", photo_clip, shots=[(0, 8), (8, 16)])
    assert all(mattes.box(i) is None for i in range(8))
    assert all(mattes.box(i) is not None for i in range(8, 16))
    assert "frames 0-7" in caplog.text


def test_a_name_is_searched_in_every_shot(find, photo_clip, caplog):
    detector = FakeDetector(photo_clip, blind=range(8, 12))
    mattes = find("person", photo_clip, shots=[(0, 8), (8, 12), (12, 16)], detector=detector)
    with_object = [i for i in range(16) if mattes.box(i)]
    assert with_object == [*range(8), *range(12, 16)]
    assert "frames 8-11" in caplog.text


class FaintDetector(FakeDetector):
    """Hardly believes what it sees, in the frames that are not ``blind``."""

    def detect(self, image, names=(), faint=False):
        return super().detect(image, names) if faint else []


def test_what_is_seen_faintly_in_most_frames_is_taken_with_a_warning(
    find, photo_clip, score, caplog
):
    mattes = find("person", photo_clip, detector=FaintDetector(photo_clip, blind=[2]))
    assert np.mean(scores(mattes, photo_clip, score)) > 0.8
    assert "person: detected with low confidence" in caplog.text


def test_what_is_seen_faintly_now_and_then_is_nothing(find, photo_clip):
    rarely = FaintDetector(photo_clip, blind=range(8, 16))
    shots = [(0, photo_clip.count)]
    assert len(looked_at(shots[0])) == 4
    with pytest.raises(ObjectNotFoundError, match="not found in the clip"):
        find("person", photo_clip, shots, rarely)


def test_given_mattes_are_used_as_they_are(find, tmp_path, photo_clip):
    for i, truth in enumerate(photo_clip.truth):
        cv2.imwrite(str(tmp_path / f"m.{i:04d}.png"), truth)
    mattes = find(f"matte:{tmp_path}/m.####.png", photo_clip)
    assert all(np.array_equal(mattes[i], photo_clip.truth[i]) for i in range(photo_clip.count))


def test_a_name_without_a_detector_says_what_to_fetch(find, photo_clip):
    with pytest.raises(WeightsError, match="vidstyle models fetch"):
        find("person", photo_clip)


@pytest.mark.parametrize("spec", ["dog", "persun", "person#2"])
def test_an_object_that_is_not_there(find, photo_clip, spec):
    with pytest.raises(ObjectNotFoundError):
        find(spec, photo_clip, detector=FakeDetector(photo_clip))


@pytest.mark.parametrize("spec", ["box:0,0,900,900", "point:270,5", "point:5,5@16"])
def test_prompts_outside_the_clip(find, photo_clip, spec):
    with pytest.raises(UsageError, match="--object"):
        find(spec, photo_clip)


def test_bad_masks(find, tmp_path, photo_clip):
    empty, other, broken = (tmp_path / f"{n}.png" for n in ("empty", "other", "broken"))
    cv2.imwrite(str(empty), np.zeros(photo_clip.size, np.uint8))
    cv2.imwrite(str(other), np.full((10, 10), 255, np.uint8))
    broken.write_bytes(b"no picture")
    with pytest.raises(ObjectNotFoundError, match="empty"):
        find(f"mask:{empty}", photo_clip)
    for path in (other, broken, tmp_path / "absent.png"):
        with pytest.raises(MediaError, match=path.name):
            find(f"mask:{path}", photo_clip)


def test_large_frames_are_tracked_small_and_cut_along_their_own_edges(
    find, tmp_path, make_clip, score
):
    clip = make_clip(3, size=(720, 1280), speed=10.0)
    assert max(clip.size) > LONG_SIDE
    path = tmp_path / "mask.png"
    cv2.imwrite(str(path), clip.truth[0])
    mattes = find(f"mask:{path}", clip)
    assert mattes[1].shape == clip.size
    assert min(scores(mattes, clip, score)) > 0.93


def test_sixteen_bit_frames_are_tracked(find, mask, make_clip, score):
    deep = make_clip(4)
    deep.images = [image.astype(np.uint16) * 257 for image in deep.images]
    mattes = find(f"mask:{mask(0)}", deep)
    assert min(scores(mattes, deep, score)) > 0.88


def test_reading_backwards_holds_one_chunk(make_clip):
    clip = make_clip(10, size=(60, 90))
    images = list(small_frames_backwards(clip, 1, 10, chunk=4))
    assert all(np.array_equal(a, b) for a, b in zip(images, clip.images[:0:-1], strict=True))
    assert clip.reads == [(6, 10), (2, 6), (1, 2)]
