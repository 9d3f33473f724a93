"""From the name of a style model to the model."""

from importlib.metadata import EntryPoint

import torch

from vidstyle import weights
from vidstyle.crew import Crew
from vidstyle.errors import WeightsError
from vidstyle.style.model import StyleModel
from vidstyle.style.network import Architecture, StyleNetwork
from vidstyle.style.plugins import load_plugin, package_of, plugins
from vidstyle.style.stylizer import Stylizer, Through


def build_style_model(
    model: str, device: torch.device, memory: int | None = None, crew: Crew | None = None
) -> StyleModel:
    """Load what ``--model`` names: a folder (see :func:`build_stylizer`) or a plug-in.

    Args:
        memory, crew: see :class:`~vidstyle.style.stylizer.Stylizer`; a plug-in minds its own.

    Raises:
        WeightsError: no such model, or one that cannot be loaded.
    """
    if entry := find_plugin(model):
        return load_plugin(entry, device)
    try:
        return build_stylizer(model, device, memory=memory, crew=crew)
    except WeightsError as error:
        others = ", ".join(sorted(plugins()))
        raise WeightsError(f"{error}; plug-ins: {others}" if others else str(error)) from None


def find_plugin(model: str) -> EntryPoint | None:
    """The plug-in that ``--model`` names; None for a model's folder, which goes first: no package
    can put itself in the place of a model that is there."""
    if any(folder.name == model for folder in weights.style_models()):
        return None
    return plugins().get(model)


def model_identity(model: str) -> str:
    """What tells one state of a model from another: the sha256 of its weights, or of a plug-in
    the package and its version.

    Raises:
        WeightsError: no such model.
    """
    if entry := find_plugin(model):
        return package_of(entry)
    return weights.sha256(weights.StyleModel(weights.find_model(model)).weights)


def build_stylizer(
    model: str,
    device: torch.device,
    backend: Through | None = None,
    memory: int | None = None,
    crew: Crew | None = None,
) -> Stylizer:
    """Load the style model that ``--model`` names, verified.

    Args:
        model: name of a model in the searched folders, or path of a model's folder.
        backend, memory, crew: see :class:`~vidstyle.style.stylizer.Stylizer`.

    Raises:
        WeightsError: no such model, or its files are corrupt or do not belong together.
    """
    folder = weights.StyleModel(weights.find_model(model))
    weights.verify_model(folder)
    config = folder.config()
    try:
        network = StyleNetwork(Architecture(**config["architecture"]))  # type: ignore[arg-type]
        network.load_state_dict(
            {name: tensor.float() for name, tensor in weights.load_tensors(folder.weights).items()}
        )
        ridge = config["transform"]["ridge"]  # type: ignore[index]
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise WeightsError(
            f"{folder.folder}: not a style model that this version reads ({reason}); restore it"
        ) from None
    return Stylizer(network, device, ridge, backend, memory, crew)
