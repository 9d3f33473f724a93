"""The decoder of Segment Anything, out of the graph that it was exported to."""

from pathlib import Path

import pytest
import torch
from segment_anything.modeling import MaskDecoder, PromptEncoder, TwoWayTransformer

from vidstyle.errors import WeightsError
from vidstyle.models.onnx_tensors import read_initializers
from vidstyle.models.sam_tensors import convert_decoder
from vidstyle.models.weights import load_tensors

WIDTH = 32


@pytest.fixture(scope="module")
def decoder() -> torch.nn.ModuleDict:
    """The package's own parts, narrow, with weights that half precision keeps."""
    torch.manual_seed(0)
    transformer = TwoWayTransformer(depth=2, embedding_dim=WIDTH, num_heads=2, mlp_dim=48)
    parts = torch.nn.ModuleDict(
        {
            "prompt_encoder": PromptEncoder(WIDTH, (8, 8), (128, 128), mask_in_chans=16),
            "mask_decoder": MaskDecoder(transformer_dim=WIDTH, transformer=transformer),
        }
    )
    # Every value is another, so that none can stand in another's place.
    for tensor in parts.state_dict().values():
        tensor.copy_(torch.randn(tensor.shape).half().float())
    return parts


def exported(decoder: torch.nn.ModuleDict, path: Path) -> None:
    """Write the weights as PyTorch's exporter lays them out in the graph of
    ``segment_anything.utils.onnx.SamOnnxModel``."""
    onnx = pytest.importorskip("onnx")
    state = decoder.state_dict()
    tokens = [state.pop(f"mask_decoder.{n}.weight") for n in ("iou_token", "mask_tokens")]
    lost = [(n, state.pop(f"prompt_encoder.{n}").reshape(-1, 1, 1)) for n in (
        "mask_downscaling.1.weight", "mask_downscaling.1.bias",
        "mask_downscaling.4.weight", "mask_downscaling.4.bias",
    )]  # fmt: skip
    no_mask = state.pop("prompt_encoder.no_mask_embed.weight")
    lost += [("no_mask", no_mask.reshape(1, -1, 1, 1)), ("tokens", torch.cat(tokens)[None])]
    # In the order of their use: not the one that their names sort to, or that modules have.
    attention = ("q_proj", "k_proj", "v_proj", "out_proj")
    used = []
    for layer in ("layers.0", "layers.1"):
        for part in ("self_attn", "cross_attn_token_to_image", "mlp", "cross_attn_image_to_token"):
            used += [
                f"{layer}.{part}.{n}" for n in (("lin1", "lin2") if part == "mlp" else attention)
            ]
    used += [f"final_attn_token_to_image.{n}" for n in attention]
    lost += [(n, state.pop(f"mask_decoder.transformer.{n}.weight").T) for n in used]
    lost += [(n, state.pop(f"mask_decoder.output_upscaling.1.{n}").reshape(-1, 1, 1))
             for n in ("weight", "bias")]  # fmt: skip
    named = [(n if n.startswith("mask") else f"model.{n}", t) for n, t in state.items()]
    nameless = [(f"onnx::X_{1900 + i}", tensor) for i, (_, tensor) in enumerate(lost)]
    weights = [onnx.numpy_helper.from_array(t.numpy(), n) for n, t in [*named, *nameless]]
    weights.append(onnx.numpy_helper.from_array(torch.tensor([7]).numpy(), "a whole number"))
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "sam", [], [], weights)), path)


def test_the_decoders_tensors_come_out_under_the_packages_names(
    decoder: torch.nn.ModuleDict, tmp_path: Path
) -> None:
    exported(decoder, tmp_path / "sam.onnx")
    for name in ("once", "again"):
        convert_decoder(tmp_path / "sam.onnx", tmp_path / f"{name}.safetensors")
    tensors = load_tensors(tmp_path / "once.safetensors")
    expected = decoder.state_dict()
    assert tensors.keys() == expected.keys()
    for name, tensor in tensors.items():
        assert torch.equal(tensor.float(), expected[name]), name
    once, again = ((tmp_path / f"{n}.safetensors").read_bytes() for n in ("once", "again"))
    assert once == again


def test_another_graph_is_no_decoder(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    weights = [onnx.numpy_helper.from_array(torch.zeros(2, 3).numpy(), "w")]
    graph = onnx.helper.make_graph([], "other", [], [], weights)
    onnx.save(onnx.helper.make_model(graph), tmp_path / "other.onnx")
    assert read_initializers(tmp_path / "other.onnx")["w"].shape == (2, 3)
    with pytest.raises(WeightsError, match=r"other\.onnx: not the decoder"):
        convert_decoder(tmp_path / "other.onnx", tmp_path / "to")
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("content", [b"", b"no graph at all", bytes(200), b"\x3a\xff\xff\xff\x7f"])
def test_what_is_no_onnx_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.onnx").write_bytes(content)
    with pytest.raises(WeightsError, match=r"broken\.onnx"):
        read_initializers(tmp_path / "broken.onnx")
