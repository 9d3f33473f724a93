"""One contract for every segmenter, and what each does beyond it."""

import numpy as np
import pytest
import segment_anything
import torch

from vidstyle.errors import UsageError, WeightsError
from vidstyle.frame import Box
from vidstyle.options import RenderOptions
from vidstyle.parts import build_parts
from vidstyle.segment import parse_object
from vidstyle.segment.grabcut import GrabCut
from vidstyle.segment.mattes import bounding_box
from vidstyle.segment.sam import Sam
from vidstyle.segment.segmenter import build_segmenter


@pytest.fixture(scope="module")
def sam2_folder(tmp_path_factory):
    """A tiny, untrained SAM 2 as its publisher lays it out."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("sam2")
    torch.manual_seed(0)
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 16,
        "image_size": [128, 128],
        "blocks_per_stage": [1, 1, 2, 1],
        "embed_dim_per_stage": [16, 32, 64, 128],
        "num_attention_heads_per_stage": [1, 1, 2, 2],
        "window_size_per_stage": [8, 4, 4, 4],
        "global_attention_blocks": [3],
    }
    config = transformers.Sam2Config(
        vision_config={
            "model_type": "sam2_vision_model",
            "backbone_config": backbone,
            "backbone_channel_list": [128, 64, 32, 16],
            "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
            "fpn_hidden_size": 32,
        },
        prompt_encoder_config={"hidden_size": 32, "image_size": 128, "patch_size": 16},
        mask_decoder_config={
            "hidden_size": 32,
            "mlp_dim": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 32,
        },
    )
    transformers.Sam2Model(config).save_pretrained(folder)
    pictures = transformers.Sam2ImageProcessor(
        size={"height": 128, "width": 128}, mask_size={"height": 32, "width": 32}
    )
    transformers.Sam2Processor(pictures).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=["grabcut", "sam", "sam2"])
def segmenter(request, new_sam):
    match request.param:
        case "grabcut":
            return GrabCut()
        case "sam":
            return Sam(new_sam())
    folder = request.getfixturevalue("sam2_folder")
    from vidstyle.segment.sam2 import Sam2

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
    assert segmenter.name in ("grabcut", "sam", "sam2")


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
