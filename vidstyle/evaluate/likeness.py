"""Per-pixel perceptual distance of two pictures, so that regions can be scored separately."""

import warnings
from pathlib import Path

import lpips
import torch
from torch import Tensor

from vidstyle.errors import WeightsError
from vidstyle.models import weights

#: LPIPS networks by the registry entries of their backbones, best first.
_BACKBONES = {"alexnet": "alex", "vgg16": "vgg"}

#: AlexNet's poolings reduce smaller pictures to nothing.
_LEAST_SIDE = 64


class PerceptualDistance:
    """LPIPS 0.1 (Zhang et al. 2018): lower is more similar.

    Attributes:
        name: of the backbone.
    """

    def __init__(self, entry: str, file: Path, device: torch.device) -> None:
        """
        Args:
            entry: ``alexnet`` or ``vgg16``.
            file: its torchvision state dict. LPIPS's own weights ship with its package.

        Raises:
            WeightsError: the file does not match that network.
        """
        self.name = entry
        self._device = device
        with warnings.catch_warnings():
            # The package calls torchvision with deprecated arguments.
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
        """Distance at each pixel, (1, 1, H, W), of two pictures (1, 3, H, W) in [0, 1]."""
        pair = (picture.to(self._device) for picture in (result, plate))
        distance: Tensor = self._network(*pair, normalize=True)
        return distance.cpu()


def build_lpips(size: tuple[int, int], device: torch.device) -> PerceptualDistance | str:
    """LPIPS with an available backbone, or a message saying why there is none.

    Raises:
        WeightsError: the backbone's weights are corrupt.
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
