"""What any style model must do: those that vidstyle has, and the examples of plug-ins."""

import json
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pytest
import safetensors.torch
import skimage.data
import torch
from torch import Tensor

from vidstyle.errors import MediaError, WeightsError
from vidstyle.models import weights
from vidstyle.style.build import build_stylizer
from vidstyle.style.model import Sample, StyleModel
from vidstyle.style.supersampled import Enlarged, Supersampled, margin_around

CPU = torch.device("cpu")
EXAMPLES = Path(__file__).parents[2] / "examples"


def write_network(path: Path, sides: tuple[object, object] = ("h", "w"), scale: str = "") -> Path:
    """A network with the colours turned over and softened, in ONNX."""
    onnx = pytest.importorskip("onnx")
    import numpy as np
    from onnx import helper, numpy_helper

    white = 255.0 if not scale else float(scale)
    kernel = np.zeros((3, 3, 3, 3), np.float32)
    for channel in range(3):
        kernel[channel, channel] = -1 / 9
    picture = [1, 3, *sides]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "k", "b"], ["y"], pads=[1, 1, 1, 1])],
        "soft",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, picture)],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, picture)],
        [
            numpy_helper.from_array(kernel, "k"),
            numpy_helper.from_array(np.full(3, white, np.float32), "b"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if scale:
        helper.set_model_props(model, {"scale": scale})
    onnx.save(model, str(path))
    return path


@pytest.fixture
def onnx_styles(monkeypatch: pytest.MonkeyPatch) -> Any:
    pytest.importorskip("onnxruntime")
    monkeypatch.syspath_prepend(str(EXAMPLES / "vidstyle_onnx"))
    yield __import__("vidstyle_onnx")
    sys.modules.pop("vidstyle_onnx")


def write_pipeline(folder: Path) -> Path:
    """A style file, and beside it a pipeline of a few random weights."""
    diffusers, transformers = map(pytest.importorskip, ("diffusers", "transformers"))
    letters = [chr(code) + end for code in range(ord("a"), ord("z") + 1) for end in ("", "</w>")]
    words = {word: n for n, word in enumerate(["<|startoftext|>", "<|endoftext|>", *letters])}
    torch.manual_seed(0)
    text = transformers.CLIPTextConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=32, num_attention_heads=2,
        num_hidden_layers=1, max_position_embeddings=16, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps(words))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    pipeline = diffusers.StableDiffusionImg2ImgPipeline(
        vae=diffusers.AutoencoderKL(
            block_out_channels=(8, 16), down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=4, norm_num_groups=2,
        ),
        text_encoder=transformers.CLIPTextModel(text),
        tokenizer=transformers.CLIPTokenizer(
            str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=16
        ),
        unet=diffusers.UNet2DConditionModel(
            sample_size=16, block_out_channels=(8, 16), layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=16,
            attention_head_dim=2, norm_num_groups=2,
        ),
        scheduler=diffusers.DDIMScheduler(clip_sample=False, steps_offset=1),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.save_pretrained(folder / "pipeline")
    style = folder / "style.toml"
    style.write_text(f'pipeline = "{folder}/pipeline"\nprompt = "a woodcut"\nsteps = 3\n')
    return style


@dataclass(frozen=True)
class Ready:
    """A model, and a style that it has read."""

    model: StyleModel
    style: Any


@pytest.fixture(scope="module")
def diffusion(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Loaded once: it takes seconds."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        style = write_pipeline(tmp_path_factory.mktemp("diffusers") / "style")
        patch.syspath_prepend(str(EXAMPLES / "vidstyle_diffusers"))
        model = __import__("vidstyle_diffusers").build(CPU)
        yield Ready(model, model.read_style(style, lambda: torch.zeros(1, 3, 64, 64)))
        sys.modules.pop("vidstyle_diffusers")


class Twice(Supersampled):
    """Sees every object at twice its size."""

    def transfer(
        self, samples: Callable[[], Iterable[Sample]], style: Any, /, factor: int = 2
    ) -> Enlarged:
        return super().transfer(samples, style, factor)


@pytest.fixture(scope="module")
def vgg19() -> Ready:
    """AdaIN's, with its weights."""
    if weights.find("vgg19") is None:
        pytest.skip("no vgg19 on this machine")
    model = build_stylizer("vgg19", CPU)
    painting = picture(skimage.data.coffee(), (64, 96))
    return Ready(model, model.read_style(Path("coffee.png"), lambda: painting))


@pytest.fixture(
    params=[
        "stylizer",
        "supersampled",
        "onnx",
        "diffusion",
        pytest.param("vgg19", marks=pytest.mark.weights),
    ]
)
def ready(request: pytest.FixtureRequest, tmp_path: Path) -> Ready:
    painting = picture(skimage.data.coffee(), (64, 96))
    if request.param == "stylizer":
        model: StyleModel = build_stylizer(str(request.getfixturevalue("tiny_model")), CPU)
        return Ready(model, model.read_style(Path("coffee.png"), lambda: painting))
    if request.param == "supersampled":
        model = Twice(build_stylizer(str(request.getfixturevalue("tiny_model")), CPU))
        return Ready(model, model.read_style(Path("coffee.png"), lambda: painting))
    if request.param == "diffusion":
        diffusion: Ready = request.getfixturevalue("diffusion")
        return diffusion
    if request.param == "vgg19":
        vgg19: Ready = request.getfixturevalue("vgg19")
        return vgg19
    model = request.getfixturevalue("onnx_styles").build(CPU)
    network = write_network(tmp_path / "soft.onnx")
    return Ready(model, model.read_style(network, lambda: painting))


def picture(pixels: Any, size: tuple[int, int]) -> Tensor:
    small = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)
    return torch.from_numpy(small).permute(2, 0, 1)[None] / 255


@pytest.fixture(scope="module")
def plates() -> Tensor:
    photograph = picture(skimage.data.astronaut(), (106, 140))
    return torch.cat([photograph, photograph.flip(3)])


@pytest.fixture
def frozen(ready: Ready, plates: Tensor) -> Any:
    return ready.model.transfer(
        lambda: [(plates[:1], torch.ones_like(plates[:1, :1]))], ready.style
    )


def test_satisfies_the_protocol(ready: Ready, frozen: Any) -> None:
    assert isinstance(ready.model, StyleModel)
    assert ready.model.device == CPU
    assert ready.model.margin >= 0
    assert ready.model.grid >= 1
    assert frozen is not None


@pytest.mark.parametrize("size", [(106, 140), (17, 9), (1, 1)])
def test_any_size_comes_back_in_range(
    ready: Ready, frozen: Any, plates: Tensor, size: tuple[int, int]
) -> None:
    plate = plates[:1, :, : size[0], : size[1]]
    result = ready.model(plate, frozen)
    assert (result.shape, result.dtype) == (plate.shape, torch.float32)
    assert 0 <= float(result.min()) <= float(result.max()) <= 1


def test_what_is_frozen_can_be_handed_to_another_machine(
    ready: Ready, frozen: Any, plates: Tensor
) -> None:
    tensors = ready.model.save(frozen)
    content = safetensors.torch.save({n: t.contiguous() for n, t in tensors.items()})
    again = ready.model.load(safetensors.torch.load(content))
    assert torch.equal(ready.model(plates, again), ready.model(plates, frozen))


def test_strength_goes_from_the_plate_to_the_style(
    ready: Ready, frozen: Any, plates: Tensor
) -> None:
    none, half, full = (ready.model(plates, frozen, strength) for strength in (0, 0.5, 1))
    assert torch.equal(none, plates)
    assert (full - plates).abs().mean() > 0.03
    torch.testing.assert_close(half, (plates + full) / 2, atol=1e-4, rtol=0)


def test_pictures_of_a_batch_do_not_know_each_other(
    ready: Ready, frozen: Any, plates: Tensor
) -> None:
    alone = torch.cat([ready.model(plate[None], frozen) for plate in plates])
    torch.testing.assert_close(ready.model(plates, frozen), alone, atol=1e-4, rtol=0)


def test_the_edge_of_a_box_does_not_show(ready: Ready, frozen: Any, plates: Tensor) -> None:
    if type(ready.model).__name__ == "Diffusion":
        pytest.skip("noise depends on the size of the picture, as its README tells")
    margin, grid = margin_around(ready.model, frozen), ready.model.grid
    start = -(-16 // grid) * grid
    plates = torch.nn.functional.interpolate(plates, size=(start + margin + 40,) * 2)
    whole = ready.model(plates, frozen)[..., start + margin :, start + margin :]
    box = ready.model(plates[..., start:, start:], frozen)[..., margin:, margin:]
    assert (box - whole).abs().mean() < 0.005


def test_diffusion_starts_every_frame_from_the_same_noise(diffusion: Ready, plates: Tensor) -> None:
    first, again = (diffusion.model(plates[:1, :, :64, :64], diffusion.style) for _ in range(2))
    assert torch.equal(first, again)


def test_diffusion_refuses_what_cannot_be_meant(diffusion: Ready, tmp_path: Path) -> None:
    style = tmp_path / "style.toml"
    for text, words in (
        ('prompt = "x"', "pipeline"),
        ("no toml", "not a style file"),
        (f'pipeline = "{tmp_path}"\nprompt = "x"\nchange = 0.1\nsteps = 2', "is none"),
    ):
        style.write_text(text)
        with pytest.raises(MediaError, match=words):
            diffusion.model.read_style(style, lambda: torch.zeros(1, 3, 64, 64))
    style.write_text(f'pipeline = "{tmp_path}/none"\nprompt = "x"')
    with pytest.raises(WeightsError, match="none"):
        diffusion.model.read_style(style, lambda: torch.zeros(1, 3, 64, 64))


@pytest.mark.parametrize("scale", ["", "1"])
def test_onnx_does_what_the_network_does(
    onnx_styles: Any, plates: Tensor, tmp_path: Path, scale: str
) -> None:
    model = onnx_styles.build(CPU)
    network = model.read_style(write_network(tmp_path / "n.onnx", scale=scale), lambda: plates)
    result = model(plates, network)[..., 2:-2, 2:-2]
    expected = 1 - torch.nn.functional.avg_pool2d(plates, 3, 1, 1)[..., 2:-2, 2:-2]
    torch.testing.assert_close(result, expected, atol=1e-3, rtol=0)


def test_onnx_refuses_what_is_no_such_network(
    onnx_styles: Any, plates: Tensor, tmp_path: Path, style_picture: Path
) -> None:
    model = onnx_styles.build(CPU)
    fixed = write_network(tmp_path / "fixed.onnx", sides=(224, 224))
    refused: list[tuple[Path, str]] = [
        (fixed, "224x224 only"),
        (style_picture, "not a network"),
        (tmp_path / "none.onnx", "none.onnx"),
    ]
    read: Callable[[], Tensor] = lambda: plates  # noqa: E731
    for path, words in refused:
        with pytest.raises(MediaError, match=words):
            model.read_style(path, read)
