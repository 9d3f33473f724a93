"""Style losses: by hand, over the object only, and with what a cell sees kept inside it."""

import numpy as np
import pytest
import skimage.data
import torch
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from vidstyle.perceptual.receptive import LEAST_CELLS, ReceptiveField, eroded, receptive_field
from vidstyle.perceptual.statistics import (
    Moments,
    covariance,
    gram,
    gram_distance,
    moment_distance,
    moments,
)

#: Where VGG-16's layers are in torchvision's ``features``, and the side of what a cell sees.
LAYERS = {"relu1_1": 1, "relu1_2": 3, "relu2_1": 6, "relu2_2": 8, "relu3_1": 11, "relu4_1": 18}
SIZES = {"relu1_1": 3, "relu1_2": 5, "relu2_1": 10, "relu2_2": 14, "relu3_1": 24, "relu4_1": 60}


@pytest.fixture(scope="module")
def vgg() -> nn.Sequential:
    """VGG-16's layers to relu3_1, with random weights: what a cell sees does not depend on them."""
    torch.manual_seed(0)
    return make_layers(cfgs["D"], batch_norm=False)[: LAYERS["relu3_1"] + 1].requires_grad_(False)


@pytest.fixture(scope="module")
def picture() -> Tensor:
    """(1, 3, 96, 120) in [0, 1]."""
    pixels = np.ascontiguousarray(skimage.data.astronaut()[30:126, 160:280])
    return torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255


def _object(picture: Tensor) -> Tensor:
    """A mask: (1, 1, H, W), a rectangle that leaves the frame at the bottom."""
    mask = torch.zeros_like(picture[:, :1])
    mask[..., 20:, 24:96] = 1
    return mask


def test_gram_by_hand() -> None:
    """Two channels on three places: products over places, divided by their number."""
    features = torch.tensor([[[[1.0, 2.0, 3.0]], [[0.0, 1.0, -1.0]]]])
    wanted = torch.tensor([[[14 / 3, -1 / 3], [-1 / 3, 2 / 3]]])
    torch.testing.assert_close(gram(features), wanted)
    wanted = torch.tensor([[[5.0, -1.5], [-1.5, 0.5]]])
    torch.testing.assert_close(gram(features, torch.tensor([[[[1.0, 0.0, 1.0]]]])), wanted)


def test_covariance_by_hand() -> None:
    """As numpy's, and no constant changes it; over a part it is that part's."""
    features = torch.tensor([[[[1.0, 2.0, 3.0, 9.0]], [[0.0, 1.0, -1.0, 9.0]]]])
    wanted = np.cov(features[0, :, 0].numpy(), bias=True)
    np.testing.assert_allclose(covariance(features)[0], wanted, rtol=1e-5)
    torch.testing.assert_close(covariance(features + 5), covariance(features))
    part = covariance(features, torch.tensor([[[[1.0, 1.0, 1.0, 0.0]]]]))
    torch.testing.assert_close(part, covariance(features[..., :3]))


def test_gram_distance_by_hand() -> None:
    ones, twos = torch.ones(1, 2, 2), torch.full((1, 2, 2), 2.0)
    assert gram_distance(ones, twos) == pytest.approx(4 / 16)
    assert gram_distance(ones, twos, floor=32) == pytest.approx(4 / 32)


def test_moments_by_hand() -> None:
    features = torch.tensor([[[[1.0, 3.0, 8.0]], [[2.0, 2.0, 5.0]]]])
    whole = moments(features)
    torch.testing.assert_close(whole.mean, torch.tensor([[4.0, 3.0]]))
    torch.testing.assert_close(whole.std.square(), torch.tensor([[26 / 3, 2.0]]), atol=1e-4, rtol=0)
    part = moments(features, torch.tensor([[[[1.0, 1.0, 0.0]]]]))
    torch.testing.assert_close(part.mean, torch.tensor([[2.0, 2.0]]))
    torch.testing.assert_close(part.std, torch.tensor([[1.0, 0.0]]), atol=4e-3, rtol=0)


def test_moment_distance_by_hand() -> None:
    output = Moments(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 1.0]]))
    style = Moments(torch.tensor([[2.0, 0.0]]), torch.tensor([[1.0, 2.0]]))
    assert moment_distance(output, style) == pytest.approx(6 / 9)
    assert moment_distance(output, style, floor=12) == pytest.approx(6 / 12)
    assert moment_distance(style, style) == 0


def test_an_empty_style_has_a_bounded_loss(vgg: nn.Sequential, picture: Tensor) -> None:
    """White paper: with the floor, no farther than an empty picture from a real style."""
    seen = vgg(picture) - vgg(torch.ones_like(picture))
    nothing = torch.full_like(seen, 1e-4)
    floor = float(gram(seen).square().sum())
    assert gram_distance(gram(seen), gram(nothing)) > 1e6
    assert gram_distance(gram(seen), gram(nothing), floor) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("layer", ["relu1_1", "relu2_1", "relu2_2", "relu3_1"])
def test_a_cell_sees_its_receptive_field_and_no_more(layer: str, vgg: nn.Sequential) -> None:
    """The pixels with a gradient are those that the field tells, and its whole square."""
    network = vgg[: LAYERS[layer] + 1]
    field = receptive_field(network)
    # Weights and pictures without a sign: no activation is ever off, no gradient cancels.
    for module in network:
        if isinstance(module, nn.Conv2d):
            module.weight.copy_(module.weight.abs())
    pixels = torch.rand(1, 3, 120, 120, requires_grad=True)
    cell = 60 // field.stride
    network(pixels)[0, :, cell, cell].sum().backward()
    assert pixels.grad is not None
    rows = pixels.grad.abs().sum((0, 1, 3)).nonzero()[:, 0]
    first = cell * field.stride + field.start
    # A maximum passes its gradient to one of its pixels, so the rim may stay untouched.
    slack = field.stride - 1
    assert first <= rows.min() <= first + slack
    assert first + field.size - 1 - slack <= rows.max() <= first + field.size - 1


def test_receptive_fields_of_vgg16() -> None:
    """The sizes that the literature gives."""
    layers = make_layers(cfgs["D"], batch_norm=False)
    sizes = {name: receptive_field(layers[: end + 1]).size for name, end in LAYERS.items()}
    assert sizes == SIZES


def test_a_layer_of_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match="InstanceNorm2d"):
        receptive_field([nn.Conv2d(3, 3, 3), nn.InstanceNorm2d(3)])


def test_masked_style_ignores_what_lies_outside(vgg: nn.Sequential, picture: Tensor) -> None:
    """Whatever is painted outside the object, its statistics stay, and no gradient goes there."""
    mask = _object(picture)
    field = receptive_field(vgg)
    inside = eroded(mask, field, (24, 30))
    assert 0 < inside.sum() < (mask.sum() / field.stride**2)
    other = picture * mask + torch.rand_like(picture) * (1 - mask)
    here, there = (vgg(pixels) for pixels in (picture, other))
    torch.testing.assert_close(gram(there, inside), gram(here, inside))
    torch.testing.assert_close(moments(there, inside), moments(here, inside))
    assert gram_distance(gram(there), gram(here)) > 1e-3
    moved = other.requires_grad_()
    seen = vgg(moved)
    style = gram(vgg(picture.flip(2)))
    loss = gram_distance(gram(seen, inside), style) + moment_distance(
        moments(seen, inside), moments(vgg(picture.flip(2)))
    )
    loss.backward()
    assert moved.grad is not None
    assert (moved.grad * (1 - mask)).abs().max() == 0
    assert (moved.grad * mask).abs().max() > 0


def test_a_whole_mask_changes_nothing(vgg: nn.Sequential, picture: Tensor) -> None:
    everything = eroded(torch.ones_like(picture[:, :1]), receptive_field(vgg), (24, 30))
    assert torch.equal(everything, torch.ones(1, 1, 24, 30))
    seen = vgg(picture)
    torch.testing.assert_close(gram(seen, everything), gram(seen))
    torch.testing.assert_close(moments(seen, everything), moments(seen))


@pytest.mark.parametrize(("width", "columns"), [(4, [15]), (14, [16]), (30, [18, 19])])
def test_thin_objects_keep_some_cells(width: int, columns: list[int]) -> None:
    """The thinner, the less strict: what it covers, half the field, the whole field."""
    mask = torch.zeros(2, 1, 160, 160)
    mask[0, 0, :, 60 : 60 + width] = 1
    mask[1, 0, 40:140, 30:140] = 1
    field = ReceptiveField(24, 4, -10)
    kept = eroded(mask, field, (40, 40))
    assert kept[0].sum() >= LEAST_CELLS
    assert kept[0, 0].sum(0).nonzero()[:, 0].tolist() == columns
    # Another picture of the batch is not relaxed with it.
    assert kept[1, 0].nonzero().amin(0).tolist() == [13, 10]


def test_no_object_no_style() -> None:
    """No statistics, and no gradient that is not finite."""
    features = torch.rand(1, 4, 6, 6, requires_grad=True)
    nothing = torch.zeros(1, 1, 6, 6)
    assert eroded(torch.zeros(1, 1, 24, 24), ReceptiveField(24, 4, -10), (6, 6)).sum() == 0
    (gram(features, nothing).sum() + sum(m.sum() for m in moments(features, nothing))).backward()
    assert features.grad is not None
    assert features.grad.abs().max() == 0
