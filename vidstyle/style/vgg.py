"""``vgg19``: the network of AdaIN (Huang & Belongie, ICCV 2017, "Arbitrary style transfer in
real-time with adaptive instance normalization").

The encoder is VGG-19 (Simonyan & Zisserman 2015) to relu4_1, its weights normalised so that the
mean activation of every channel is one (Gatys 2016); the decoder was trained to invert it.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from vidstyle.errors import WeightsError
from vidstyle.models import weights
from vidstyle.style.grid import off_grid
from vidstyle.style.network import StyleNetwork

#: The entry of the registry that holds encoder and decoder.
ENTRY = "vgg19"

#: Ridge of the transform, see :func:`~vidstyle.style.transform.optimal_map`.
RIDGE = 0.01

#: Channels of the convolutions of each block; the resolution halves (or doubles) between blocks.
_ENCODER = ((64, 64), (128, 128), (256, 256, 256, 256), (512,))
_DECODER = ((256,), (256, 256, 256, 128), (128, 64), (64, 3))


class VggNetwork(StyleNetwork):
    """VGG-19 to relu4_1 and AdaIN's decoder, with random weights.

    The decoder leaves a mesh of dots, which is removed: matching the painting's bands to those of
    the style would make it stronger.
    """

    channels = 512
    reach = 56
    pixel_bytes = 1536
    order = torch.channels_last

    def __init__(self) -> None:
        super().__init__()
        # The colour transform that the normalised weights start with.
        self.encoder = nn.Sequential(nn.Conv2d(3, 3, 1), *_encoder_layers())
        self.decoder = nn.Sequential(*_decoder_layers())

    def encode(self, images: Tensor) -> Tensor:
        features: Tensor = self.encoder(images)
        return features

    def decode(self, features: Tensor) -> Tensor:
        return off_grid(self.decoder(features))


def load_vgg() -> VggNetwork:
    """The network with the weights of the registry's entry.

    Raises:
        WeightsError: they are not on this machine, or corrupt.
    """
    path = weights.require(ENTRY)
    network = VggNetwork()
    for module, file in zip(
        (network.encoder, network.decoder), weights.entry_files(ENTRY), strict=True
    ):
        _load_in_order(module, weights.load_tensors(path.with_name(file.name)), file.name)
    return network


def _convolution(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, padding=1, padding_mode="reflect"), nn.ReLU()]


def _encoder_layers() -> Iterator[nn.Module]:
    before = 3
    for number, block in enumerate(_ENCODER):
        if number:
            yield nn.MaxPool2d(2)
        for after in block:
            yield from _convolution(before, after)
            before = after


def _decoder_layers() -> Iterator[nn.Module]:
    before = _ENCODER[-1][-1]
    for number, block in enumerate(_DECODER):
        if number:
            yield nn.Upsample(scale_factor=2)
        for after in block:
            convolution, activation = _convolution(before, after)
            yield convolution
            if after != _DECODER[-1][-1]:  # a picture is not rectified
                yield activation
            before = after


def _load_in_order(module: nn.Module, tensors: Mapping[str, Tensor], name: str) -> None:
    """Load weights by order: the files number layers that this network lacks. Those of the encoder
    beyond relu4_1 are ignored.

    Raises:
        WeightsError: a shape differs.
    """
    wanted = module.state_dict()
    found = list(tensors.values())[: len(wanted)]
    if [tensor.shape for tensor in found] != [tensor.shape for tensor in wanted.values()]:
        raise WeightsError(f"{name}: not the weights of AdaIN's VGG-19; fetch them again")
    module.load_state_dict(dict(zip(wanted, found, strict=True)))
