"""Writing a style model's folder, as :func:`vidstyle.style.build.build_stylizer` reads it."""

from pathlib import Path

import safetensors.torch
import torch

from vidstyle.style.network import StyleNetwork
from vidstyle.weights import StyleModel, sha256


def save_model(folder: Path, network: StyleNetwork, ridge: float, licence: str) -> None:
    """Write ``weights.safetensors`` (half precision) and ``config.toml``.

    Args:
        folder: made if missing; its name is the model's.
        ridge: of the transform that the network was trained with.
        licence: SPDX identifier of the weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = StyleModel(folder)
    tensors = {
        name: tensor.detach().cpu().to(torch.float16).contiguous()
        for name, tensor in network.state_dict().items()
    }
    safetensors.torch.save_file(tensors, model.weights)
    sizes = network.architecture
    (folder / "config.toml").write_text(
        f'licence = "{licence}"\n'
        f'sha256 = "{sha256(model.weights)}"\n'
        "\n[architecture]\n"
        f"texture = {sizes.texture}\n"
        f"depth = {sizes.depth}\n"
        "\n[transform]\n"
        f"ridge = {ridge}\n",
        encoding="utf-8",
    )
