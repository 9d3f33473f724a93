"""From the name of a style model to a stylizer."""

import torch

from vidstyle import weights
from vidstyle.errors import WeightsError
from vidstyle.style.network import Architecture, StyleNetwork
from vidstyle.style.stylizer import Stylizer


def build_stylizer(model: str, device: torch.device) -> Stylizer:
    """Load the style model that ``--model`` names, verified.

    Args:
        model: name of a model in the searched folders, or path of a model's folder.

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
    return Stylizer(network, device, ridge)
