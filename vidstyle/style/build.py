"""Build style models by name."""

import hashlib
import math
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from typing import Any

import torch
from torch import Tensor

from vidstyle.errors import WeightsError
from vidstyle.models import weights
from vidstyle.runtime.workers import WorkerPool
from vidstyle.style.micro import Architecture, MicroNetwork
from vidstyle.style.model import StyleModel
from vidstyle.style.network import StyleNetwork
from vidstyle.style.plugins import load_plugin, package_of, plugins
from vidstyle.style.stylizer import Stylizer, Through
from vidstyle.style.vgg import ENTRY, RIDGE, load_vgg

#: What ``--model auto`` falls back to: it ships with vidstyle.
BUNDLED = "micro"


def choose_model(model: str, device: torch.device) -> tuple[str, str]:
    """The model that ``--model`` means on this machine.

    Args:
        model: ``auto`` is ``vgg19`` on CUDA if its weights are available, otherwise the model that
            ships with vidstyle, which is designed for CPUs. Any other name is returned as given.

    Returns:
        The model's name and the reason for the choice.
    """
    if model != "auto":
        return model, "as asked for"
    if device.type != "cuda":
        return BUNDLED, f"on a CPU; --model {ENTRY} paints more, and takes longer"
    if weights.find(ENTRY) is None:
        return BUNDLED, f"run `vidstyle models fetch {ENTRY}` for the larger"
    return ENTRY, "on CUDA, and its weights are on this machine"


def build_style_model(
    model: str, device: torch.device, memory: int | None = None, workers: WorkerPool | None = None
) -> StyleModel:
    """Load what ``--model`` names: a folder (see :func:`build_stylizer`) or a plug-in.

    Args:
        memory, workers: see :class:`~vidstyle.style.stylizer.Stylizer`; not passed to plug-ins.

    Raises:
        WeightsError: no such model, or it cannot be loaded.
    """
    if entry := find_plugin(model):
        return load_plugin(entry, device)
    try:
        return build_stylizer(model, device, memory=memory, workers=workers)
    except WeightsError as error:
        others = ", ".join(sorted(plugins()))
        raise WeightsError(f"{error}; plug-ins: {others}" if others else str(error)) from None


def find_plugin(model: str) -> EntryPoint | None:
    """The plug-in that ``--model`` names; None for a model folder, which takes precedence: no
    package can replace a model that is present."""
    if any(folder.name == model for folder in weights.style_models()):
        return None
    return plugins().get(model)


def model_identity(model: str) -> str:
    """Identifies a version of a model: the sha256 of its weights, or a plug-in's package and
    version.

    Raises:
        WeightsError: no such model.
    """
    if entry := find_plugin(model):
        return package_of(entry)
    if is_vgg(model):
        path = weights.require(ENTRY)
        files = [path.with_name(file.name) for file in weights.entry_files(ENTRY)]
        return hashlib.sha256("".join(map(weights.sha256, files)).encode()).hexdigest()
    return weights.sha256(weights.ModelFolder(weights.find_model(model)).weights)


def build_stylizer(
    model: str,
    device: torch.device,
    backend: Through | None = None,
    memory: int | None = None,
    workers: WorkerPool | None = None,
    bfloat16: bool = False,
) -> Stylizer:
    """Load and verify the style model that ``--model`` names.

    Args:
        model: see :func:`build_network`.
        backend, memory, workers, bfloat16: see :class:`~vidstyle.style.stylizer.Stylizer`.

    Raises:
        WeightsError: see :func:`build_network`.
    """
    network, ridge = build_network(choose_model(model, device)[0])
    return Stylizer(network, device, ridge, backend, memory, workers, bfloat16)


def build_network(model: str) -> tuple[StyleNetwork, float]:
    """A style network, on the CPU, and the ridge of its transform.

    Args:
        model: ``vgg19``, the name of a model in the searched folders, or the path of a model's
            folder.

    Raises:
        WeightsError: no such model, or its files are corrupt or do not belong together.
    """
    if is_vgg(model):
        return load_vgg(), RIDGE
    folder = weights.ModelFolder(weights.find_model(model))
    weights.verify_model(folder)
    config = folder.config()
    tensors = weights.load_tensors(folder.weights)
    try:
        sizes = _architecture(config["architecture"], tensors)
        network = MicroNetwork(sizes)
        network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
        ridge = _ridge(config["transform"]["ridge"])  # type: ignore[index]
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise WeightsError(
            f"{folder.folder}: not a style model that this version reads ({reason}); restore it, "
            "or train it again"
        ) from None
    return network, ridge


def is_vgg(model: str) -> bool:
    """Whether ``--model`` names ``vgg19``; a folder of that name takes precedence."""
    return model == ENTRY and all(folder.name != ENTRY for folder in weights.style_models())


def _architecture(table: Any, tensors: Mapping[str, Tensor]) -> Architecture:
    """The architecture in ``config.toml``, checked against the weights: building layers that the
    file does not hold could take minutes and gigabytes.

    Raises:
        ValueError: the weights do not match.
        TypeError, KeyError: not an architecture.
    """
    sizes = Architecture(**{**table, "depth": tuple(table["depth"])})
    if len(sizes.depth) != 4 or not all(depth in range(len(tensors)) for depth in sizes.depth):
        raise ValueError(f"depth {list(sizes.depth)} of {len(tensors)} tensors")
    widths = [sizes.features, sizes.coarse, sizes.brush]
    widths += [sizes.fine] if sizes.encoder == "micro" else []
    widths += [sizes.attention] if sizes.attention else []
    # Each width is the length of some bias, and the file must hold at least one layer of the
    # largest width.
    held = {tensor.shape[0] for tensor in tensors.values() if tensor.ndim == 1}
    if not held.issuperset(widths) or max(widths) ** 2 > sum(map(Tensor.numel, tensors.values())):
        raise ValueError("weights of another architecture than its config.toml says")
    return sizes


def _ridge(told: object) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float) or not 0 < told < math.inf:
        raise ValueError(f"ridge = {told!r} is not a number above 0")
    return float(told)
