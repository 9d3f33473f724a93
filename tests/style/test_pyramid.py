"""What one level adds, against its definition."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.style.grid import off_grid
from vidstyle.style.lapped import STRIDE
from vidstyle.style.network import Architecture, StyleNetwork
from vidstyle.style.pyramid import Transfer, change
from vidstyle.style.transform import AffineMap


def some_map(channels: int) -> AffineMap:
    eye, noise = torch.eye(channels), torch.randn(channels, channels) / channels
    return AffineMap(eye + noise, 0.1 * torch.randn(channels), 0.1 * torch.randn(channels))


def test_a_level_is_attention_times_the_change_of_the_bands(photograph: Tensor) -> None:
    """Folding the linear steps into one matrix changes nothing."""
    torch.manual_seed(0)
    network = StyleNetwork(Architecture(texture=8, depth=1, attention=4)).requires_grad_(False)
    assert network.attention is not None
    network.attention.judge.weight.normal_()
    transfer = Transfer(1, some_map(8), some_map(192))
    bands = network.lapped(photograph)
    texture = network.encoder(photograph, bands)
    moved = transfer.texture(texture)
    wanted = transfer.bands(network.paint(bands, texture, moved)) - bands
    wanted = network.lapped.inverse(network.attention(texture, moved) * wanted) - 0.5
    wanted = F.pixel_shuffle(off_grid(F.pixel_unshuffle(wanted, STRIDE)), STRIDE)
    got = change(network, photograph, transfer)
    torch.testing.assert_close(got, wanted, atol=1e-4, rtol=0)
    assert wanted.abs().mean() > 0.01
