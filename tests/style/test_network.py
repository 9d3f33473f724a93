"""The style network: what must hold for any weights."""

import pytest
import torch
from torch import Tensor

from vidstyle.choices import ENCODERS
from vidstyle.style.encoders import build_encoder
from vidstyle.style.lapped import BANDS, STRIDE, LappedTransform
from vidstyle.style.network import Architecture, Attention, StyleNetwork
from vidstyle.style.pyramid import GRID
from vidstyle.style.residual import LEAST_PLACES, Residual


@pytest.fixture(params=ENCODERS)
def network(request: pytest.FixtureRequest) -> StyleNetwork:
    """Decoder and attention random, so that nothing holds by a zero initialisation."""
    torch.manual_seed(0)
    sizes = Architecture(texture=8, depth=2, encoder=request.param, attention=4)
    network = StyleNetwork(sizes)
    with torch.no_grad():
        for part in (network.decoder, network.attention):
            assert part is not None
            for parameter in part.parameters():
                parameter.normal_(0, 0.2)
    return network.requires_grad_(False)


def test_lapped_transform_is_a_tight_frame(photograph: Tensor) -> None:
    lapped = LappedTransform()
    bands = lapped(photograph)
    assert bands.shape[1] == BANDS
    torch.testing.assert_close(lapped.inverse(bands), photograph, atol=1e-5, rtol=0)
    # Parseval: the unscaled bands hold the energy of the picture and of its mirrored rim, once
    # each of the four blocks that overlap a pixel has its share.
    gain = lapped.analysis.flatten(1).norm(dim=1) / lapped.synthesis.mT.transpose(0, 1).flatten(
        1
    ).norm(dim=1)
    energy = (bands.square() / gain.repeat(3)[:, None, None]).sum()
    padded = torch.nn.functional.pad(photograph - 0.5, (STRIDE,) * 4, mode="reflect")
    inner = (photograph - 0.5).square().sum()
    assert inner <= energy * (1 + 1e-4)
    assert energy <= padded.square().sum() * (1 + 1e-4)


def test_unchanged_texture_paints_nothing(network: StyleNetwork, photograph: Tensor) -> None:
    bands = network.lapped(photograph)
    texture = network.encoder(photograph, bands)
    torch.testing.assert_close(network.paint(bands, texture, texture), bands)
    assert (network.paint(bands, texture, 0.5 * texture) - bands).abs().mean() > 0.001


def test_texture_lies_on_the_grid_of_the_bands(network: StyleNetwork, photograph: Tensor) -> None:
    """Features of a picture that is turned about are the turned features, within half a cell."""
    bands = network.lapped(photograph)
    assert network.encoder(photograph, bands).shape[2:] == bands.shape[2:]
    spot = torch.zeros_like(photograph)
    spot[..., 78:82, 118:122] = 1
    seen = network.encoder(spot, network.lapped(spot))
    plain = network.encoder(torch.zeros_like(spot), network.lapped(torch.zeros_like(spot)))
    felt = (seen - plain).abs().sum((0, 1))
    rows, columns = torch.meshgrid(*map(torch.arange, felt.shape), indexing="ij")
    # Block (i, j) is centred on pixel (4i − ½, 4j − ½); the spot on (79.5, 119.5).
    assert abs(float((felt * rows).sum() / felt.sum()) - 20) < 0.5
    assert abs(float((felt * columns).sum() / felt.sum()) - 30) < 0.5


def test_shift_by_the_grid_shifts_the_result(network: StyleNetwork, photograph: Tensor) -> None:
    """The grid of blocks must not show: whole steps of motion move the result along."""
    moved = photograph.roll(GRID, dims=-1)
    results = []
    for picture in (photograph, moved):
        bands = network.lapped(picture)
        texture = network.encoder(picture, bands)
        results.append(network.lapped.inverse(network.paint(bands, texture, 0.5 * texture)))
    rim = 64
    torch.testing.assert_close(
        results[0][..., rim : -rim - GRID],
        results[1][..., rim + GRID : -rim],
        atol=1e-4,
        rtol=0,
    )


def test_blocks_laid_over_each_other_are_the_inverse(photograph: Tensor) -> None:
    lapped = LappedTransform()
    bands = lapped(photograph)
    strides = lapped.overlapped(bands.movedim(1, 3) @ lapped.blocks.T)
    picture = torch.nn.functional.pixel_shuffle(strides, STRIDE) + 0.5
    torch.testing.assert_close(picture, lapped.inverse(bands), atol=1e-5, rtol=0)


def test_residual_is_the_plain_convolution() -> None:
    """Whatever way it is computed; a batch is as its pictures."""
    torch.manual_seed(0)
    residual = Residual(16)
    features = torch.randn(2, 16, 63, 50)
    assert features.shape[2] * features.shape[3] >= LEAST_PLACES
    wanted = features + residual.conv(features.relu())
    with torch.inference_mode():
        got = residual(features)
    torch.testing.assert_close(got, wanted, atol=1e-4, rtol=0)


def test_attention_starts_as_one_everywhere(photograph: Tensor) -> None:
    attention = Attention(texture=3, hidden=4)
    torch.testing.assert_close(attention(photograph, photograph), torch.ones(1, 1, 160, 240))


def test_no_such_encoder() -> None:
    with pytest.raises(ValueError, match="micro, mobilenet, vgg19"):
        build_encoder("alexnet", 8, 2)
