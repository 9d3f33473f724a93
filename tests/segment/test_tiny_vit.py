"""MobileSAM's encoder in PyTorch, with the weights of its export to ONNX."""

import numpy as np
import pytest
import torch
from torch import nn

from vidstyle.errors import WeightsError
from vidstyle.models.weights import find, load_tensors
from vidstyle.segment.segmenters.onnx_encoder import OnnxEncoder
from vidstyle.segment.segmenters.segmenter import build_segmenter
from vidstyle.segment.segmenters.tiny_vit import TinyVit, _Attention, _Normed

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network(mobile_sam) -> TinyVit:  # noqa: ARG001 - skips without the weights
    """With the tensors of the graph. The exporter folded batch normalisation into convolutions, and
    left the names of convolutions and products out; both are in order of use."""
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(find("mobile-sam")).graph

    def values(tensor) -> torch.Tensor:
        return torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())

    named = {each.name: values(each) for each in graph.initializer}
    constants = {
        node.output[0]: node.attribute[0].t for node in graph.node if node.op_type == "Constant"
    }
    convolutions = iter(t for name, t in named.items() if name.startswith("onnx::Conv"))
    products = iter(t for name, t in named.items() if name.startswith("onnx::MatMul"))
    norms = [t.flatten() for name, t in named.items() if name.startswith(("onnx::M", "onnx::A"))]
    network, state = TinyVit().eval(), {}
    for name, module in network.named_modules():
        match module:
            case _Normed():
                state[f"{name}.c.weight"] = next(convolutions)
                state[f"{name}.bn.bias"] = next(convolutions)
                state[f"{name}.bn.running_var"] = torch.ones(module.bn.num_features) - module.bn.eps
            case nn.Linear():
                state[f"{name}.weight"] = next(products).T
                state[f"{name}.bias"] = named[f"{name}.bias"]
            case nn.LayerNorm():
                state |= {f"{name}.{part}": named[f"{name}.{part}"] for part in ("weight", "bias")}
            case _Attention():
                path = name.replace(".attn", "/attn").replace(".blocks", "/blocks")
                whole = values(constants[f"/{path}/Constant_5_output_0"])
                state[f"{name}.attention_biases"] = whole[:, 0]
    assert not [*convolutions, *products]
    ends = [f"neck.{number}.{part}" for number in (1, 3) for part in ("weight", "bias")]
    state |= dict(zip(ends, norms[-4:], strict=True))
    state |= {f"neck.{number}.weight": named[f"neck.{number}.weight"] for number in (0, 2)}
    network.load_state_dict(network.state_dict() | state)
    return network


@pytest.mark.weights
def test_its_features_are_those_of_the_exported_graph(network) -> None:
    torch.manual_seed(0)
    picture = nn.functional.interpolate(torch.randn(1, 3, 64, 64), (1024, 1024), mode="bicubic")
    expected = OnnxEncoder(find("mobile-sam"), CPU)(picture)
    with torch.inference_mode():
        assert (network(picture) - expected).abs().max() < 1e-5
    assert expected.abs().max() > 0.1


@pytest.mark.weights
def test_the_authors_checkpoint_gives_the_same_mattes(
    network, mobile_sam, portrait, tmp_path
) -> None:
    decoder = load_tensors(find("mobile-sam").with_name("mobile_sam_decoder.safetensors"))
    encoder = {f"image_encoder.{name}": value for name, value in network.state_dict().items()}
    classifier = {"image_encoder.head.bias": torch.zeros(1000)}
    path = tmp_path / "mobile_sam.pt"
    torch.save({**encoder, **classifier, **decoder}, path)
    picture, truth = portrait
    hint = np.where(truth, np.uint8(255), np.uint8(0))
    same = build_segmenter("mobile-sam", path, CPU)
    difference = same.segment(picture, hint=hint).astype(int) - mobile_sam.segment(
        picture, hint=hint
    )
    assert np.abs(difference).max() <= 2


@pytest.mark.parametrize("content", [b"", b"no weights", {"layer": torch.zeros(3)}])
def test_another_checkpoint_is_refused(tmp_path, content) -> None:
    path = tmp_path / "mobile_sam.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(WeightsError, match=r"mobile_sam\.pt"):
        build_segmenter("mobile-sam", path, CPU)
