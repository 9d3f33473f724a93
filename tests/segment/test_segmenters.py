"""One contract for every segmenter, and what each does beyond it."""

import sys

import cv2
import numpy as np
import pytest
import safetensors.torch
import segment_anything
import torch

from vidstyle.errors import UsageError, WeightsError
from vidstyle.media.frame import Box
from vidstyle.models.weights import find
from vidstyle.options import RenderOptions
from vidstyle.pipeline.parts import build_parts
from vidstyle.segment.mattes.store import bounding_box
from vidstyle.segment.people.witness import PersonWitness
from vidstyle.segment.prompts import parse_object
from vidstyle.segment.segmenters import promptable
from vidstyle.segment.segmenters.grabcut import GrabCut
from vidstyle.segment.segmenters.sam import Sam
from vidstyle.segment.segmenters.segmenter import build_segmenter
from vidstyle.segment.segmenters.voting import PeopleVote


@pytest.fixture(scope="module")
def sam2_folder(tmp_path_factory, sam2_settings):
    """A tiny, untrained SAM 2 as its publisher lays it out."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("sam2")
    torch.manual_seed(0)
    config = transformers.Sam2Config(**sam2_settings(32))
    transformers.Sam2Model(config).save_pretrained(folder)
    pictures = transformers.Sam2ImageProcessor(
        size={"height": 128, "width": 128}, mask_size={"height": 32, "width": 32}
    )
    transformers.Sam2Processor(pictures).save_pretrained(folder)
    return folder


@pytest.fixture(
    scope="module",
    params=[
        "grabcut",
        "sam",
        "sam2",
        pytest.param("mobile-sam", marks=pytest.mark.weights),
        pytest.param("with a vote on people", marks=pytest.mark.weights),
    ],
)
def segmenter(request, new_sam):
    match request.param:
        case "grabcut":
            return GrabCut()
        case "sam":
            return Sam(new_sam())
        case "mobile-sam":
            return request.getfixturevalue("mobile_sam")
        case "with a vote on people":
            witness = PersonWitness(request.getfixturevalue("person_networks"))
            return PeopleVote(request.getfixturevalue("mobile_sam"), witness)
    folder = request.getfixturevalue("sam2_folder")
    from vidstyle.segment.segmenters.sam2 import Sam2

    return Sam2.load(folder, torch.device("cpu"))


@pytest.fixture(scope="module")
def picture(photo_clip):
    return photo_clip.images[4]


@pytest.fixture(scope="module")
def truth(photo_clip):
    return photo_clip.truth[4]


@pytest.fixture(scope="module")
def prompts(truth):
    box = bounding_box(truth)
    middle = ((box.x0 + box.x1) // 2, (box.y0 + box.y1) // 2)
    return {
        "box": {"boxes": [box]},
        "point": {"points": [middle]},
        "hint": {"hint": truth},
        "box and point": {"boxes": [box], "points": [middle]},
        "everything": {"boxes": [box], "points": [middle], "hint": truth},
        "box and a point outside": {"boxes": [box], "outside": [(box.x0, box.y0)]},
        "two boxes": {"boxes": [box, Box(0, 0, 20, 20)]},
    }


@pytest.mark.parametrize(
    "kind",
    ["box", "point", "hint", "box and point", "box and a point outside", "everything", "two boxes"],
)
def test_a_matte_of_the_picture_s_size(segmenter, picture, prompts, kind):
    before = picture.copy()
    matte = segmenter.segment(picture, **prompts[kind])
    assert matte.shape == picture.shape[:2]
    assert matte.dtype == np.uint8
    assert np.array_equal(picture, before)


def test_the_same_prompt_gives_the_same_matte(segmenter, picture, prompts):
    first = segmenter.segment(picture, **prompts["box"])
    segmenter.segment(picture[::-1].copy(), **prompts["point"])
    assert np.array_equal(segmenter.segment(picture, **prompts["box"]), first)


def test_features_of_the_latest_pictures_are_kept(new_sam, picture, prompts, monkeypatch):
    monkeypatch.setattr(promptable, "KEPT", 2)
    sam, seen = Sam(new_sam()), []
    look_at = sam._look_at
    monkeypatch.setattr(sam, "_look_at", lambda image: (seen.append(1), look_at(image))[1])
    pictures = [picture, picture[::-1].copy(), picture[:, ::-1].copy()]
    fresh = [Sam(new_sam()).segment(each, **prompts["box"]) for each in pictures]
    for number, looks in ((0, 1), (1, 2), (0, 2), (1, 2), (2, 3), (1, 3), (0, 4)):
        matte = sam.segment(pictures[number].copy(), **prompts["box"])
        assert np.array_equal(matte, fresh[number])
        assert len(seen) == looks


def test_a_point_that_is_not_the_object_is_left_out(two_discs):
    """Two discs in one box, of which one is not meant; by GrabCut."""
    picture, left, right = two_discs
    box = bounding_box(np.maximum(left, right))
    both = GrabCut().segment(picture, [box])
    assert both[left > 0].mean() > 200
    assert both[right > 0].mean() > 200
    one = GrabCut().segment(picture, [box], outside=[(200, 80)])
    assert one[left > 0].mean() > 200
    assert one[right > 0].mean() < 50


@pytest.mark.parametrize("points", [[(80, 80)], [(80, 80), (200, 80)]])
def test_every_box_and_point_counts(two_discs, points):
    """A box without a point beside one with a point; a point in no box."""
    picture, left, right = two_discs
    boxes = [bounding_box(left), bounding_box(right)]
    for given in (boxes, boxes[:1] if len(points) > 1 else boxes):
        matte = GrabCut().segment(picture, given, points)
        assert matte[left > 0].mean() > 200
        assert matte[right > 0].mean() > 200
        assert matte[(left == 0) & (right == 0)].mean() < 30


@pytest.mark.weights
def test_mobile_sam_leaves_out_what_is_not_the_object(mobile_sam, two_discs):
    picture, left, right = two_discs
    both = np.maximum(left, right)
    one = mobile_sam.segment(picture, hint=both, outside=[(200, 80)])
    assert one[left > 0].mean() > 200
    assert one[right > 0].mean() < 50


def test_no_prompt_is_an_error(segmenter, picture):
    with pytest.raises(ValueError, match="prompt"):
        segmenter.segment(picture)


def test_has_a_name(segmenter):
    assert segmenter.name in ("grabcut", "sam", "sam2", "mobile-sam")


@pytest.mark.parametrize(("kind", "floor"), [("box", 0.8), ("hint", 0.8), ("box and point", 0.8)])
def test_grabcut_finds_the_object(picture, truth, prompts, score, kind, floor):
    assert score(GrabCut().segment(picture, **prompts[kind]), truth) > floor


def test_grabcut_at_a_point_holds_the_point(picture, prompts):
    matte = GrabCut().segment(picture, **prompts["point"])
    x, y = prompts["point"]["points"][0]
    assert matte[y, x] == 255
    assert (matte > 127).mean() < 0.5


def test_grabcut_falls_back_on_the_prompt_where_colour_tells_nothing():
    flat = np.full((80, 120, 3), 128, np.uint8)
    matte = GrabCut().segment(flat, boxes=[Box(30, 20, 90, 60)])
    found = bounding_box(matte)
    assert matte[40, 60] == 255
    assert found.x0 >= 28
    assert found.x1 <= 92


def test_grabcut_takes_the_whole_frame_for_an_object(picture):
    height, width = picture.shape[:2]
    assert GrabCut().segment(picture, boxes=[Box(0, 0, width, height)]).any()


def test_grabcut_is_bounded_on_large_pictures(picture, truth, prompts, score):
    large = np.repeat(np.repeat(picture, 8, axis=0), 8, axis=1)
    box = prompts["box"]["boxes"][0]
    matte = GrabCut().segment(large, boxes=[Box(8 * box.x0, 8 * box.y0, 8 * box.x1, 8 * box.y1)])
    assert score(matte[4::8, 4::8], truth) > 0.8


def test_sam_looks_once_at_a_picture(picture, prompts, tiny_sam):
    model = tiny_sam
    looks = []
    model.image_encoder.register_forward_hook(lambda *_: looks.append(1))
    sam = Sam(model)
    for kind in ("box", "point", "hint"):
        sam.segment(picture, **prompts[kind])
    assert len(looks) == 1
    sam.segment(picture[::-1].copy(), **prompts["box"])
    assert len(looks) == 2


def test_sam_reads_its_weights(tmp_path, monkeypatch, picture, prompts, new_sam):
    model = new_sam()
    path = tmp_path / "sam.pth"
    torch.save(model.state_dict(), path)
    monkeypatch.setattr("vidstyle.segment.segmenters.sam._BUILDERS", {32: "tiny"})
    monkeypatch.setitem(segment_anything.sam_model_registry, "tiny", new_sam)
    loaded = build_segmenter("sam", path, torch.device("cpu"))
    assert np.array_equal(
        loaded.segment(picture, **prompts["box"]), Sam(model).segment(picture, **prompts["box"])
    )


@pytest.mark.parametrize("content", [b"", b"no weights", "other"])
def test_sam_refuses_other_files(tmp_path, content):
    path = tmp_path / "sam.pth"
    if content == "other":
        torch.save({"layer": torch.zeros(3)}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"sam\.pth"):
        build_segmenter("sam", path, torch.device("cpu"))


@pytest.mark.parametrize("name", ["sam", "mobile-sam"])
def test_a_segmenter_without_weights_says_how_to_get_them(name):
    with pytest.raises(WeightsError, match="models fetch"):
        build_segmenter(name, None, torch.device("cpu"))


def test_an_unknown_segmenter_is_a_usage_error():
    with pytest.raises(UsageError, match="grabcut"):
        build_segmenter("scissors", None, torch.device("cpu"))


def test_sam2_is_chosen_by_its_folder_and_looks_once_at_a_picture(
    sam2_folder, tiny_model, picture, prompts
):
    options = RenderOptions(segmenter=str(sam2_folder), model=str(tiny_model), temporal="off")
    parts = build_parts(options, [parse_object("point:3,4")])
    assert parts.names()["segmenter"] == str(sam2_folder)
    sam2 = parts.segmenter
    looks = []
    sam2._model.vision_encoder.register_forward_hook(lambda *_: looks.append(1))
    for kind in ("box", "point", "hint"):
        sam2.segment(picture, **prompts[kind])
    assert len(looks) == 1


def test_a_folder_without_sam2_is_refused(tmp_path, tiny_model):
    pytest.importorskip("transformers")
    options = RenderOptions(segmenter=str(tmp_path), model=str(tiny_model), temporal="off")
    with pytest.raises(WeightsError, match=tmp_path.name):
        build_parts(options, [parse_object("point:3,4")])


@pytest.mark.weights
@pytest.mark.parametrize(("kind", "floor"), [("box", 0.95), ("three points", 0.95), ("hint", 0.95)])
def test_mobile_sam_cuts_the_astronaut_out(mobile_sam, portrait, score, kind, floor):
    """By its real weights; GrabCut from the same box loses her helmet's rim and her hair."""
    picture, truth = portrait
    # As a tracker may leave it: blurred, and some pixels off.
    rough = cv2.blur(truth.astype(np.uint8), (25, 25), anchor=(20, 18))
    asked = {
        "box": {"boxes": [bounding_box(truth.astype(np.uint8))]},
        "three points": {"points": [(230, 80), (200, 300), (430, 420)]},
        "hint": {"hint": rough},
    }
    assert score(mobile_sam.segment(picture, **asked[kind]), truth) > floor


@pytest.mark.weights
def test_the_encoder_runs_by_opencv_as_well(mobile_sam, portrait, monkeypatch):
    path = find("mobile-sam")
    box = Box(18, 5, 511, 511)
    by_default = mobile_sam.segment(portrait[0], [box]).astype(int)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    other = build_segmenter("mobile-sam", path, torch.device("cpu"))
    assert other._predictor.model.image_encoder.runtime == "OpenCV"
    # Levels: features differ by some millionths.
    assert np.abs(other.segment(portrait[0], [box]) - by_default).max() <= 2


@pytest.mark.weights
@pytest.mark.usefixtures("mobile_sam")
@pytest.mark.parametrize("content", [b"", b"no weights", "other"])
def test_mobile_sam_refuses_another_decoder(tmp_path, content):
    (tmp_path / "mobile_sam_encoder.onnx").symlink_to(find("mobile-sam"))
    path = tmp_path / "mobile_sam_decoder.safetensors"
    if content == "other":
        safetensors.torch.save_file({"layer": torch.zeros(3)}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"decoder\.safetensors"):
        build_segmenter("mobile-sam", tmp_path / "mobile_sam_encoder.onnx", torch.device("cpu"))


@pytest.mark.parametrize("runtime", ["ONNX Runtime", "OpenCV"])
@pytest.mark.parametrize("content", [b"", b"no graph at all"])
def test_mobile_sam_refuses_another_encoder(tmp_path, monkeypatch, runtime, content):
    if runtime == "OpenCV":
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
    else:
        pytest.importorskip("onnxruntime")
    (tmp_path / "encoder.onnx").write_bytes(content)
    with pytest.raises(WeightsError, match=r"encoder\.onnx"):
        build_segmenter("mobile-sam", tmp_path / "encoder.onnx", torch.device("cpu"))


@pytest.mark.parametrize(
    ("here", "chosen"),
    [
        ([], "grabcut"),
        (["mobile-sam"], "mobile-sam"),
        (["mobile-sam-official"], "mobile-sam-official"),
        (["mobile-sam-official", "mobile-sam"], "mobile-sam"),
        (["mobile-sam", "sam-vit-b"], "sam-vit-b"),
        (["mobile-sam", "sam-vit-b", "sam-vit-h"], "sam-vit-h"),
    ],
)
def test_auto_takes_the_best_segmenter_whose_weights_are_here(
    monkeypatch, tiny_model, here, chosen
):
    monkeypatch.setattr("vidstyle.models.weights.find", lambda name: name if name in here else None)
    options = RenderOptions(model=str(tiny_model), temporal="off")
    assert build_parts(options).names()["segmenter"] == chosen


@pytest.mark.parametrize("name", ["sam", "mobile-sam"])
def test_a_segmenter_asked_for_by_name_is_not_replaced(monkeypatch, tiny_model, name):
    monkeypatch.setattr("vidstyle.models.weights.find", lambda _: None)
    options = RenderOptions(segmenter=name, model=str(tiny_model), temporal="off")
    with pytest.raises(WeightsError, match=f"--segmenter {name}: .* models fetch"):
        build_parts(options)
