"""Detectors of an open vocabulary: the real networks, tiny and untrained."""

import string
from pathlib import Path

import numpy as np
import pytest
import torch

from vidstyle.errors import UsageError, WeightsError
from vidstyle.media.frame import Box
from vidstyle.options import RenderOptions
from vidstyle.pipeline.parts import build_parts
from vidstyle.segment.prompts import parse_object

transformers = pytest.importorskip("transformers")

from vidstyle.segment.detectors.grounding_dino import GroundingDino  # noqa: E402
from vidstyle.segment.detectors.owl import Owl  # noqa: E402
from vidstyle.segment.detectors.sam3 import Sam3  # noqa: E402

CPU = torch.device("cpu")


LETTERS = [*string.ascii_lowercase, *(f"{c}</w>" for c in string.ascii_lowercase)]
WORDS = [*LETTERS, "<|startoftext|>", "<|endoftext|>"]
ENDS = {
    "bos_token_id": len(WORDS) - 2,
    "eos_token_id": len(WORDS) - 1,
    "pad_token_id": len(WORDS) - 1,
}


def clip_tokenizer():
    return transformers.CLIPTokenizer(
        {word: i for i, word in enumerate(WORDS)}, [], model_max_length=32
    )


def make_owl(path):
    pictures = transformers.Owlv2ImageProcessor(size={"height": 64, "width": 64})
    transformers.Owlv2Processor(pictures, clip_tokenizer()).save_pretrained(path)
    shape = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1}
    shape["num_attention_heads"] = 2
    config = transformers.Owlv2Config(
        text_config={**shape, **ENDS, "vocab_size": len(WORDS), "max_position_embeddings": 32},
        vision_config={**shape, "image_size": 64, "patch_size": 16},
        projection_dim=32,
    )
    transformers.Owlv2ForObjectDetection(config).save_pretrained(path)


def make_grounding_dino(path):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "red", "cup", "ghost"]
    tokenizer = transformers.BertTokenizer(vocab={word: i for i, word in enumerate(words)})
    pictures = transformers.GroundingDinoImageProcessor(size={"height": 128, "width": 128})
    transformers.GroundingDinoProcessor(pictures, tokenizer).save_pretrained(path)
    config = transformers.GroundingDinoConfig(
        backbone_config=transformers.SwinConfig(
            image_size=64,
            embed_dim=8,
            depths=[1, 1, 1, 1],
            num_heads=[1, 1, 1, 1],
            window_size=4,
            out_features=["stage2", "stage3", "stage4"],
        ),
        text_config={
            "model_type": "bert",
            "vocab_size": len(words),
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 16,
        },
        num_queries=10,
        encoder_layers=1,
        decoder_layers=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        d_model=32,
        max_text_len=16,
    )
    transformers.GroundingDinoForObjectDetection(config).save_pretrained(path)


def make_sam3(path):
    pictures = transformers.Sam3ImageProcessor(size={"height": 112, "width": 112})
    processor = transformers.Sam3Processor(pictures, clip_tokenizer(), target_size=112)
    processor.save_pretrained(path)
    shape = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2}
    config = transformers.Sam3Config(
        vision_config={
            "backbone_config": {
                **shape,
                "model_type": "sam3_vit_model",
                "num_hidden_layers": 1,
                "image_size": 112,
                "pretrain_image_size": 56,
                "window_size": 4,
                "global_attn_indexes": [0],
            },
            "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
            "fpn_hidden_size": 16,
        },
        text_config={
            **shape,
            **ENDS,
            "num_hidden_layers": 1,
            "vocab_size": len(WORDS),
            "max_position_embeddings": 32,
            "projection_dim": 16,
        },
        geometry_encoder_config={**shape, "num_layers": 1},
        detr_encoder_config={**shape, "num_layers": 1},
        detr_decoder_config={**shape, "num_layers": 1, "num_queries": 5},
        mask_decoder_config={
            "hidden_size": 16,
            "num_attention_heads": 2,
            "num_upsampling_stages": 2,
        },
    )
    transformers.Sam3Model(config).save_pretrained(path)


MODELS = {
    "owlv2": (Owl, make_owl),
    "grounding-dino": (GroundingDino, make_grounding_dino),
    "sam3": (Sam3, make_sam3),
}


@pytest.fixture(scope="module", params=MODELS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def folder(kind, tmp_path_factory):
    """A model's folder as its publisher lays it out."""
    path = tmp_path_factory.mktemp(kind)
    torch.manual_seed(0)
    MODELS[kind][1](path)
    return path


@pytest.fixture(scope="module")
def detector(kind, folder):
    detector = MODELS[kind][0].load(folder, CPU)
    detector.threshold = 0.0
    return detector


def test_any_words_are_names(detector):
    assert detector.name_of("  Red   umbrella ") == "red umbrella"


def test_boxes_of_what_was_asked_for_best_first(detector, photo_clip):
    image = photo_clip.images[4]
    found = detector.detect(image, ["red cup", "ghost"])
    assert found
    assert {d.name for d in found} <= {"red cup", "ghost"}
    scores = [d.score for d in found]
    assert scores == sorted(scores, reverse=True)
    height, width = image.shape[:2]
    whole = Box(0, 0, width, height)
    assert all((d.box | whole) == whole and d.box.width and d.box.height for d in found)
    assert detector.detect(image, ["red cup", "ghost"]) == found


def test_without_names_there_is_nothing_to_find(detector, photo_clip):
    with pytest.raises(UsageError, match="instead of all"):
        detector.detect(photo_clip.images[0])


@pytest.mark.parametrize("content", ["nothing", "another", "damaged"])
def test_other_folders_are_refused(kind, folder, tmp_path, content):
    if content == "another":
        (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    if content == "damaged":
        for file in filter(Path.is_file, folder.iterdir()):
            (tmp_path / file.name).write_bytes(file.read_bytes()[:200])
    with pytest.raises(WeightsError, match=tmp_path.name):
        MODELS[kind][0].load(tmp_path, CPU)


def test_it_is_chosen_by_its_folder(kind, folder, tiny_model):
    options = RenderOptions(detector=str(folder), model=str(tiny_model), temporal="off")
    parts = build_parts(options, [parse_object("green ghost")])
    assert isinstance(parts.detector, MODELS[kind][0])
    assert parts.names()["detector"] == str(folder)


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("absent/folder", UsageError, "no such folder"),
        ("maskrcnn-v2", WeightsError, "models fetch"),
    ],
)
def test_a_detector_that_is_not_there(monkeypatch, tiny_model, name, error, said):
    monkeypatch.setattr("vidstyle.models.weights.find", lambda _: None)
    with pytest.raises(error, match=said):
        build_parts(RenderOptions(detector=name, model=str(tiny_model), temporal="off"))


def test_only_sam_3_cuts_out_what_it_finds(kind, detector, photo_clip):
    image = photo_clip.images[4]
    for found in detector.detect(image, ["red cup"]):
        if kind == "sam3":
            assert found.matte.shape == image.shape[:2]
            assert set(np.unique(found.matte)) <= {0, 255}
        else:
            assert found.matte is None
