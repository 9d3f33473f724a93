"""The network used to compare paintings."""

import torch

from vidstyle.errors import WeightsError
from vidstyle.models import weights
from vidstyle.perceptual.network import PerceptualNetwork, build_perceptual
from vidstyle.style.vgg import ENTRY


def build_network(device: torch.device) -> PerceptualNetwork:
    """The normalised VGG-19 of the style model ``vgg19``. Each channel has a mean activation of 1,
    so that a few steps move all of them: strokes follow the form, where plain VGG-16 gives grain.

    Raises:
        WeightsError: its weights are missing from this machine, or corrupt.
    """
    if weights.find(ENTRY) is None:
        raise WeightsError(
            f"painting needs the weights of {ENTRY}, which are not on this machine; "
            f"run 'vidstyle models fetch {ENTRY}'"
        )
    return build_perceptual(ENTRY).to(device)
