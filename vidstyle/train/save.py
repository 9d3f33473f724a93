"""Writing a style model's folder, as :func:`vidstyle.style.build.build_stylizer` reads it."""

import json
from dataclasses import asdict
from pathlib import Path

import safetensors.torch
import torch

from vidstyle.errors import UsageError
from vidstyle.models.weights import ModelFolder, sha256
from vidstyle.style.micro import MicroNetwork


def save_model(folder: Path, network: MicroNetwork, ridge: float, licence: str) -> None:
    """Write ``weights.safetensors`` (half precision) and ``config.toml``.

    Args:
        folder: created if missing; its name is the model's.
        ridge: of the transform that the network was trained with.
        licence: SPDX identifier of the weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = ModelFolder(folder)
    tensors = {
        name: tensor.detach().cpu().to(torch.float16).contiguous()
        for name, tensor in network.state_dict().items()
    }
    safetensors.torch.save_file(tensors, model.weights)
    # JSON's strings and numbers are TOML's.
    sizes = [
        f"{name} = {json.dumps(value)}" for name, value in asdict(network.architecture).items()
    ]
    lines = [
        f"licence = {json.dumps(licence)}",
        f'sha256 = "{sha256(model.weights)}"',
        *("", "[architecture]", *sizes),
        *("", "[transform]", f"ridge = {ridge}"),
    ]
    (folder / "config.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def check_model_folder(target: Path, overwrite: bool) -> None:
    """Check, before hours of training, that the model can be written there.

    Raises:
        UsageError: the target exists and may not be replaced, or is not a model.
    """
    if not target.exists():
        return
    if not overwrite:
        raise UsageError(f"{target}: is already there; give --overwrite to replace it")
    if not (target / "config.toml").is_file():
        raise UsageError(f"{target}: is there and no style model; give another -o")
