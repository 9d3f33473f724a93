"""The network that paintings are compared by."""

import torch

from vidstyle.errors import WeightsError
from vidstyle.models import weights
from vidstyle.perceptual.network import PerceptualNetwork, build_perceptual
from vidstyle.style.vgg import ENTRY


def build_network(device: torch.device) -> PerceptualNetwork:
    """The normalised VGG-19 that the style model ``vgg19`` sees with. Every channel of it is one in
    the mean, so that few steps move all of them: strokes follow the form, where plain VGG-16 gives
    grain.

    Raises:
        WeightsError: its weights are not on this machine, or corrupt.
    """
    if weights.find(ENTRY) is None:
        raise WeightsError(
            f"painting needs the weights of {ENTRY}, which are not on this machine; "
            f"run 'vidstyle models fetch {ENTRY}'"
        )
    return build_perceptual(ENTRY).to(device)
