"""How like two pictures are, place by place, so that a region can be scored by itself."""

import warnings
from pathlib import Path

import lpips
import torch
from torch import Tensor

from vidstyle.errors import WeightsError
from vidstyle.models import weights

#: LPIPS's networks, best first, by the registry's entries of their backbones.
_BACKBONES = {"alexnet": "alex", "vgg16": "vgg"}

#: AlexNet's poolings leave nothing of a smaller picture.
_LEAST_SIDE = 64


class PerceptualDistance:
    """LPIPS 0.1 (Zhang et al. 2018): lower is more alike.

    Attributes:
        name: of the backbone.
    """

    def __init__(self, entry: str, file: Path, device: torch.device) -> None:
        """
        Args:
            entry: ``alexnet`` or ``vgg16``.
            file: torchvision's state dict of it. LPIPS's own weights come with its package.

        Raises:
            WeightsError: the file is not that network's.
        """
        self.name = entry
        self._device = device
        with warnings.catch_warnings():
            # The package asks torchvision in a way that has long been deprecated.
            warnings.simplefilter("ignore")
            network = lpips.LPIPS(
                net=_BACKBONES[entry], spatial=True, pnet_rand=True, verbose=False
            )
        tensors = weights.load_tensors(file)
        # Its slices keep the numbers of torchvision's layers: slice2.3.bias is features.3.bias.
        wanted = {key: f"features.{key.partition('.')[2]}" for key in network.net.state_dict()}
        try:
            network.net.load_state_dict({key: tensors[name] for key, name in wanted.items()})
        except (KeyError, RuntimeError):
            raise WeightsError(f"{file}: not torchvision's {entry}; fetch it again") from None
        self._network = network.requires_grad_(False).eval().to(device)

    def __call__(self, result: Tensor, plate: Tensor) -> Tensor:
        """(1, 3, H, W) each in [0, 1], to the distance at each pixel, (1, 1, H, W)."""
        pair = (picture.to(self._device) for picture in (result, plate))
        distance: Tensor = self._network(*pair, normalize=True)
        return distance.cpu()


def build_lpips(size: tuple[int, int], device: torch.device) -> PerceptualDistance | str:
    """With the backbone that is on this machine, or in words why there is none.

    Raises:
        WeightsError: its weights are corrupt.
    """
    if min(size) < _LEAST_SIDE:
        return f"frames below {_LEAST_SIDE} pixels are too small for its network"
    found = next((entry for entry in _BACKBONES if weights.find(entry)), None)
    if found is None:
        return (
            "its networks' weights, alexnet or vgg16 of torchvision, are not on this machine; "
            "run `vidstyle models fetch alexnet`, or bring them in a folder on VIDSTYLE_MODEL_PATH"
        )
    return PerceptualDistance(found, weights.require(found), device)
