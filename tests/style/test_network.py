"""Style networks: what must hold for any weights."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from vidstyle.choices import ENCODERS
from vidstyle.style.encoders import build_encoder
from vidstyle.style.lapped import BANDS, STRIDE, LappedTransform
from vidstyle.style.micro import Architecture, Attention, MicroNetwork
from vidstyle.style.network import GRID, StyleNetwork
from vidstyle.style.painting import cells_inside, painted
from vidstyle.style.residual import LEAST_PLACES, Residual
from vidstyle.style.transform import AffineMap
from vidstyle.style.vgg import VggNetwork


def micro(encoder: str) -> Callable[[], StyleNetwork]:
    sizes = Architecture(encoder, 8, 8, 8, 8, (1, 1, 1, 1), attention=4)
    return lambda: MicroNetwork(sizes)


NETWORKS = {"vgg19": VggNetwork, **{encoder: micro(encoder) for encoder in ENCODERS}}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> StyleNetwork:
    torch.manual_seed(0)
    network = NETWORKS[request.param]()
    return network.eval().requires_grad_(False)


def test_features_and_pictures_have_their_sizes(network: StyleNetwork, photograph: Tensor) -> None:
    features = network.encode(photograph)
    assert features.shape == (1, network.channels, 160 // GRID, 240 // GRID)
    assert network.decode(features).shape == photograph.shape


def test_cells_are_where_they_are_said_to_be(network: StyleNetwork) -> None:
    """A spot is felt around the cell that is centred on it."""
    spot = torch.zeros(1, 3, 160, 240)
    spot[..., 78:82, 118:122] = 1
    felt = (network.encode(spot) - network.encode(torch.zeros_like(spot))).abs().sum((0, 1))
    rows, columns = torch.meshgrid(*map(torch.arange, felt.shape), indexing="ij")
    # Cell (i, j) is centred on pixel (8i + 3½, 8j + 3½), the spot on (79½, 119½).
    assert abs(float((felt * rows).sum() / felt.sum()) - 9.5) < 0.3
    assert abs(float((felt * columns).sum() / felt.sum()) - 14.5) < 0.3


def test_a_shift_by_the_grid_shifts_the_result(network: StyleNetwork, photograph: Tensor) -> None:
    """Whole steps of motion move the strokes along: they do not stand still on the screen."""
    plate = torch.cat([photograph, photograph.flip(-1)], -1)
    moved = plate.roll(GRID, dims=-1)
    identity = AffineMap(
        0.5 * torch.eye(network.channels),
        torch.zeros(network.channels),
        torch.zeros(network.channels),
    )
    there, here = (painted(network, picture, identity) for picture in (plate, moved))
    rim = 160
    torch.testing.assert_close(
        there[..., rim : -rim - GRID], here[..., rim + GRID : -rim], atol=1e-4, rtol=0
    )


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
    attention = Attention(channels=3, hidden=4)
    torch.testing.assert_close(attention(photograph, photograph), torch.ones(1, 1, 160, 240))


def test_attention_says_how_far_features_move(photograph: Tensor) -> None:
    torch.manual_seed(0)
    network = micro("micro")().requires_grad_(False)
    move = AffineMap(torch.eye(8), torch.zeros(8), torch.ones(8))
    unmoved = network.decode(network.encode(photograph))
    assert network.attention is not None
    network.attention.judge.bias.fill_(-50)
    torch.testing.assert_close(painted(network, photograph, move), unmoved)
    network.attention.judge.bias.fill_(0)
    assert (painted(network, photograph, move) - unmoved).abs().mean() > 1e-3


def test_cells_that_see_the_background_count_little() -> None:
    mask = torch.zeros(1, 1, 160, 240)
    mask[..., 40:120, :120] = 1
    cells = cells_inside(mask)[0, 0]
    assert cells.shape == (20, 30)
    assert cells[10, 0] == 1  # the object goes on beyond the frame
    assert cells[10, 10] == 1
    assert 0 < cells[10, 14] < 0.1  # half of what it sees is background
    assert cells[10, 20] == 0


def test_no_such_encoder() -> None:
    with pytest.raises(ValueError, match="micro, mobilenet"):
        build_encoder("alexnet", 8, 8, 8, (1, 1))
