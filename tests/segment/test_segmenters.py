"""One contract for every segmenter, and what each does beyond it."""

import numpy as np
import pytest
import segment_anything
import torch

from vidstyle.errors import UsageError, WeightsError
from vidstyle.frame import Box
from vidstyle.segment.grabcut import GrabCut
from vidstyle.segment.mattes import bounding_box
from vidstyle.segment.sam import Sam
from vidstyle.segment.segmenter import build_segmenter


@pytest.fixture(scope="module", params=["grabcut", "sam"])
def segmenter(request, new_sam):
    return GrabCut() if request.param == "grabcut" else Sam(new_sam())


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
        "two boxes": {"boxes": [box, Box(0, 0, 20, 20)]},
    }


@pytest.mark.parametrize(
    "kind", ["box", "point", "hint", "box and point", "everything", "two boxes"]
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


def test_no_prompt_is_an_error(segmenter, picture):
    with pytest.raises(ValueError, match="prompt"):
        segmenter.segment(picture)


def test_has_a_name(segmenter):
    assert segmenter.name in ("grabcut", "sam")


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
    monkeypatch.setattr("vidstyle.segment.sam._BUILDERS", {32: "tiny"})
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


def test_sam_without_weights_says_how_to_get_them():
    with pytest.raises(WeightsError, match="models fetch"):
        build_segmenter("sam", None, torch.device("cpu"))


def test_an_unknown_segmenter_is_a_usage_error():
    with pytest.raises(UsageError, match="grabcut"):
        build_segmenter("scissors", None, torch.device("cpu"))
