"""RAFT's weights under either set of names, and files that are not its weights."""

import re
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor
from torchvision.models.optical_flow import raft_large, raft_small

from vidstyle.errors import WeightsError
from vidstyle.motion.raft import RaftFlow, torchvision_keys

CPU = torch.device("cpu")


def authors_keys(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """A state dict of torchvision's as princeton-vl/RAFT saved its own."""
    names: dict[str, Tensor] = {}
    small = not any("convgru2" in key for key in tensors)
    for key, tensor in tensors.items():
        name = key.replace("feature_encoder", "fnet").replace("context_encoder", "cnet")
        name = re.sub(r"net\.convnormrelu\.0", "net.conv1", name)
        name = re.sub(r"net\.convnormrelu\.1", "net.norm1", name)
        name = re.sub(r"net\.conv\.", "net.conv2.", name)
        name = re.sub(r"convnormrelu(\d)\.0", r"conv\1", name)
        name = re.sub(r"convnormrelu(\d)\.1", r"norm\1", name)
        name = re.sub(r"motion_encoder\.conv(corr|flow)(\d)\.0", r"encoder.conv\1\2", name)
        name = name.replace("convcorr", "convc").replace("convflow", "convf")
        name = name.replace("motion_encoder.conv.0", "encoder.conv")
        number = "" if small else r"\1"
        name = re.sub(r"recurrent_block\.convgru(\d)\.conv(.)", rf"gru.conv\g<2>{number}", name)
        name = name.replace("mask_predictor.convrelu.0", "update_block.mask.0")
        name = name.replace("mask_predictor.conv", "update_block.mask.2")
        names[f"module.{name}"] = tensor
        if "downsample.1" in name:
            names[f"module.{name.replace('downsample.1', 'norm3')}"] = tensor
    return names


@pytest.mark.parametrize("build", [raft_small, raft_large])
def test_the_authors_names_become_torchvisions(build: type) -> None:
    tensors = build().state_dict()
    renamed = torchvision_keys(authors_keys(tensors))
    assert renamed.keys() == tensors.keys()
    assert all(renamed[key] is tensors[key] for key in tensors)


def test_every_format_gives_the_same_flow(raft_small_weights: Path, tmp_path: Path) -> None:
    tensors = torch.load(raft_small_weights, weights_only=True)
    torch.save(authors_keys(tensors), tmp_path / "authors.pth")
    safetensors.torch.save_file(tensors, tmp_path / "raft.safetensors")
    pair = torch.rand(2, 1, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    flows = [
        RaftFlow("raft-small", path, device=CPU, flow_size=540, updates=1)(pair[0], pair[1])
        for path in (raft_small_weights, tmp_path / "authors.pth", tmp_path / "raft.safetensors")
    ]
    assert torch.equal(flows[0], flows[1])
    assert torch.equal(flows[0], flows[2])


def test_weights_of_the_other_variant_are_refused(raft_small_weights: Path) -> None:
    with pytest.raises(WeightsError, match="not the weights of raft-large") as caught:
        RaftFlow("raft-large", raft_small_weights, device=CPU, flow_size=540)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["raft.pth", "raft.safetensors"])
def test_a_damaged_file_is_one_clear_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"not weights at all" * 50)
    with pytest.raises(WeightsError, match=re.escape(str(path))) as caught:
        RaftFlow("raft-small", path, device=CPU, flow_size=540)
    assert "\n" not in str(caught.value)
