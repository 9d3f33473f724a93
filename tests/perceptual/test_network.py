"""The normalised VGG-19 as a judge: it sees what the style model of that name sees."""

import pytest
import skimage.data
import torch
from torch import Tensor

from vidstyle.perceptual import network as perceptual
from vidstyle.style.vgg import VggNetwork


@pytest.fixture(scope="module")
def photograph() -> Tensor:
    """(1, 3, 48, 64) in [0, 1]."""
    pixels = torch.from_numpy(skimage.data.astronaut()[100:148, 180:244].copy())
    return pixels.permute(2, 0, 1)[None] / 255


@torch.no_grad()
def test_it_sees_what_the_style_model_sees(photograph: Tensor, monkeypatch) -> None:
    torch.manual_seed(0)
    network = VggNetwork()
    monkeypatch.setattr(perceptual, "load_vgg", lambda: network)
    eyes = perceptual.build_perceptual("vgg19")
    seen = eyes(photograph)
    assert {layer: tuple(each.shape[1:]) for layer, each in seen.items()} == {
        "relu1_1": (64, 48, 64),
        "relu2_1": (128, 24, 32),
        "relu3_1": (256, 12, 16),
        "relu4_1": (512, 6, 8),
    }
    assert torch.equal(seen["relu4_1"], network.encode(photograph))
    assert torch.equal(seen["relu1_1"], network.encoder[:3](photograph))
    # relu3_1 sees 24 pixels through 3×3 convolutions, whatever is made of the colours before them.
    assert eyes.fields["relu3_1"].size == 24
