"""How like two pictures are, place by place, so that a region can be scored by itself."""

import warnings
from pathlib import Path

import lpips
import numpy as np
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from vidstyle import weights
from vidstyle.errors import WeightsError

#: Pixels along the frame's border whose window reaches over it.
SSIM_BORDER = 5

#: LPIPS's networks, best first, by the registry's entries of their backbones.
_BACKBONES = {"alexnet": "alex", "vgg16": "vgg"}

#: AlexNet's poolings leave nothing of a smaller picture.
_LEAST_SIDE = 64


def ssim_map(result: Tensor, plate: Tensor) -> tuple[Tensor, Tensor]:
    """SSIM (Wang et al. 2004) in Gaussian windows of 11 pixels, σ = 1.5; the mean of the channels.

    Args:
        result, plate: (1, 3, H, W) in [0, 1], H and W at least 11.

    Returns:
        The map (1, 1, H, W), and a mask of the same shape that is 0 along the border, where the
        window is not whole. Their masked mean is scikit-image's mean SSIM.
    """
    _, similarity = structural_similarity(
        result[0].numpy(),
        plate[0].numpy(),
        channel_axis=0,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    values = torch.from_numpy(np.asarray(similarity, np.float32)).mean(dim=0)[None, None]
    whole = torch.zeros_like(values)
    whole[..., SSIM_BORDER:-SSIM_BORDER, SSIM_BORDER:-SSIM_BORDER] = 1
    return values, whole


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
            "the weights of its network are not on this machine; "
            "run `vidstyle models fetch alexnet`"
        )
    return PerceptualDistance(found, weights.require(found), device)
