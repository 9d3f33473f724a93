"""The open-vocabulary detector: the real network, tiny and untrained."""

import string

import pytest
import torch

from vidstyle.errors import UsageError, WeightsError
from vidstyle.media.frame import Box
from vidstyle.options import RenderOptions
from vidstyle.pipeline.parts import build_parts
from vidstyle.segment.prompts import parse_object

transformers = pytest.importorskip("transformers")

from vidstyle.segment.detectors.owl import Owl  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model's folder as its publisher lays it out."""
    path = tmp_path_factory.mktemp("owl")
    letters = [*string.ascii_lowercase, *(f"{c}</w>" for c in string.ascii_lowercase)]
    words = [*letters, "<|startoftext|>", "<|endoftext|>"]
    tokenizer = transformers.CLIPTokenizer(
        {word: i for i, word in enumerate(words)}, [], model_max_length=32
    )
    pictures = transformers.Owlv2ImageProcessor(size={"height": 64, "width": 64})
    transformers.Owlv2Processor(pictures, tokenizer).save_pretrained(path)
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1}
    config = transformers.Owlv2Config(
        text_config={
            **shape,
            "num_attention_heads": 2,
            "vocab_size": len(words),
            "max_position_embeddings": 32,
            "pad_token_id": len(words) - 1,
            "bos_token_id": len(words) - 2,
            "eos_token_id": len(words) - 1,
        },
        vision_config={**shape, "num_attention_heads": 2, "image_size": 64, "patch_size": 16},
        projection_dim=32,
    )
    transformers.Owlv2ForObjectDetection(config).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def owl(folder):
    owl = Owl.load(folder, CPU)
    owl._threshold = 0.0
    return owl


def test_any_words_are_names(owl):
    assert owl.name_of("  Red   umbrella ") == "red umbrella"


def test_boxes_of_what_was_asked_for_best_first(owl, photo_clip):
    image = photo_clip.images[4]
    found = owl.detect(image, ["red cup", "ghost"])
    assert found
    assert {d.name for d in found} <= {"red cup", "ghost"}
    scores = [d.score for d in found]
    assert scores == sorted(scores, reverse=True)
    height, width = image.shape[:2]
    whole = Box(0, 0, width, height)
    assert all((d.box | whole) == whole and d.box.width and d.box.height for d in found)
    assert owl.detect(image, ["red cup", "ghost"]) == found


def test_without_names_there_is_nothing_to_find(owl, photo_clip):
    with pytest.raises(UsageError, match="instead of all"):
        owl.detect(photo_clip.images[0])


@pytest.mark.parametrize("content", ["nothing", "another", "damaged"])
def test_other_folders_are_refused(folder, tmp_path, content):
    if content == "another":
        (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    if content == "damaged":
        for file in folder.iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes()[:200])
    with pytest.raises(WeightsError, match=tmp_path.name):
        Owl.load(tmp_path, CPU)


def test_it_is_chosen_by_its_folder(folder, tiny_model):
    options = RenderOptions(detector=str(folder), model=str(tiny_model), temporal="off")
    parts = build_parts(options, [parse_object("green ghost")])
    assert isinstance(parts.detector, Owl)
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
