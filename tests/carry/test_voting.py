"""From a field to a picture, at any size of the plate."""

import pytest
import skimage.data
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.carry.field import GRAIN, Field
from vidstyle.carry.voting import blended, painted, voted
from vidstyle.media.frame import Box

SIZE = (96, 128)


@pytest.fixture(scope="module")
def cat() -> Tensor:
    """(1, 3, 192, 256)"""
    picture = torch.from_numpy(skimage.data.chelsea()[:192, 60:316].copy())
    return picture.movedim(-1, 0)[None] / 255


def shifted(by: tuple[int, int], trust: float, stride: int = 2) -> Field:
    """Every place lies (right, down) of itself in the key."""
    box = Box(0, 0, SIZE[1], SIZE[0])
    rows = torch.arange(0, SIZE[0], stride)[:, None].expand(-1, SIZE[1] // stride)
    columns = torch.arange(0, SIZE[1], stride).expand(SIZE[0] // stride, -1)
    offset = torch.tensor(by).float()[:, None, None]
    return Field(
        1.0,
        SIZE,
        box,
        offset.expand(2, SIZE[0] // GRAIN, SIZE[1] // GRAIN),
        torch.full((SIZE[0] // GRAIN, SIZE[1] // GRAIN), trust),
        stride,
        torch.stack([columns + by[0], rows + by[1]]).short(),
        torch.ones(SIZE[0] // stride, SIZE[1] // stride),
    )


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("trust", [0.0, 1.0], ids=["patches", "flow"])
def test_paint_lands_where_the_field_says(cat: Tensor, scale: int, trust: float) -> None:
    paint = cat if scale == 2 else F.interpolate(cat, SIZE, mode="area")
    box = Box(20 * scale, 16 * scale, 90 * scale, 70 * scale)
    picture, shown = painted(paint, shifted((8, -6), trust), box)
    there = paint[
        ...,
        box.y0 - 6 * scale : box.y1 - 6 * scale,
        box.x0 + 8 * scale : box.x1 + 8 * scale,
    ]
    assert (picture - there).abs().max() < 1e-4
    assert shown.min() == 1


def test_patches_that_disagree_lose_no_detail(cat: Tensor) -> None:
    """Every second patch is a pixel off: a mean would halve the finest detail."""
    paint, field = F.interpolate(cat, SIZE, mode="area"), shifted((0, 0), 0.0)
    field.matches[0, ::2, ::2] += 1
    field.matches.clamp_(0)
    box = Box(8, 8, 120, 88)
    picture, _ = voted(paint, field, box)

    def detail(image: Tensor) -> float:
        kernel = torch.tensor([[0.0, -1, 0], [-1, 4, -1], [0, -1, 0]])[None, None]
        return float(F.conv2d(image.mean(1, keepdim=True), kernel).square().mean())

    assert detail(picture) > 0.8 * detail(paint[..., box.rows, box.columns])


def test_where_there_is_no_place_there_is_no_paint(cat: Tensor) -> None:
    field = shifted((0, 0), 0.0)
    field.matches[:, :, 32:] = -1
    _, known = voted(F.interpolate(cat, SIZE, mode="area"), field, Box(0, 0, 128, 96))
    assert known[..., :60].min() == 1
    assert known[..., 70:].max() == 0


def test_a_blend_keeps_the_contrast_of_what_it_blends() -> None:
    generator = torch.Generator().manual_seed(1)
    noises = [0.5 + 0.1 * torch.randn(1, 3, 64, 64, generator=generator) for _ in range(2)]
    mixed = blended(noises, [0.5, 0.5])
    assert mixed.std() == pytest.approx(noises[0].std().item(), rel=0.1)
    assert torch.equal(blended(noises[:1], [1.0]), noises[0])
