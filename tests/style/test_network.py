"""The style network: what must hold for any weights."""

import pytest
import torch
from torch import Tensor

from vidstyle.style.network import BANDS, STRIDE, Architecture, LappedTransform, StyleNetwork


@pytest.fixture
def network() -> StyleNetwork:
    """Every weight random, so that nothing holds by a zero initialisation."""
    torch.manual_seed(0)
    network = StyleNetwork(Architecture(texture=8, depth=2))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.2)
    return network.requires_grad_(False)


def test_lapped_transform_is_a_tight_frame(photograph: Tensor) -> None:
    lapped = LappedTransform()
    bands = lapped(photograph)
    assert bands.shape[1] == BANDS
    torch.testing.assert_close(lapped.inverse(bands), photograph, atol=1e-5, rtol=0)
    # Parseval: the unscaled bands hold the energy of the picture and of its mirrored rim, once
    # each of the four blocks that overlap a pixel has its share.
    energy = (bands / lapped.gain).square().sum()
    padded = torch.nn.functional.pad(photograph - 0.5, (STRIDE,) * 4, mode="reflect")
    inner = (photograph - 0.5).square().sum()
    assert inner <= energy * (1 + 1e-4)
    assert energy <= padded.square().sum() * (1 + 1e-4)


def test_unchanged_texture_paints_nothing(network: StyleNetwork, photograph: Tensor) -> None:
    bands = network.lapped(photograph)
    texture = network.encoder(bands)
    torch.testing.assert_close(network.paint(bands, texture, texture), bands)
    assert (network.paint(bands, texture, 0.5 * texture) - bands).abs().mean() > 0.01


def test_shift_by_the_stride_shifts_the_result(network: StyleNetwork, photograph: Tensor) -> None:
    """The grid of blocks must not show: whole strides of motion move the result along."""
    moved = photograph.roll(STRIDE, dims=-1)
    results = []
    for picture in (photograph, moved):
        bands = network.lapped(picture)
        texture = network.encoder(bands)
        results.append(network.lapped.inverse(network.paint(bands, texture, 0.5 * texture)))
    rim = 48
    torch.testing.assert_close(
        results[0][..., rim : -rim - STRIDE],
        results[1][..., rim + STRIDE : -rim],
        atol=1e-4,
        rtol=0,
    )
