"""Laying the styled object over its plate."""

import pytest
import torch
from torch import Tensor

from vidstyle.media.composite import composite, feathered


@pytest.fixture
def random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def plate_of(dtype: torch.dtype, random: torch.Generator) -> Tensor:
    """Every kind of code value: (2, 20, 30, 3)."""
    values = torch.randint(0, torch.iinfo(dtype).max + 1, (2, 20, 30, 3), generator=random)
    return values.to(dtype)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16])
def test_outside_the_matte_every_bit_is_the_plates(
    dtype: torch.dtype, random: torch.Generator
) -> None:
    plate = plate_of(dtype, random)
    styled = torch.rand(2, 3, 20, 30, generator=random)
    matte = torch.zeros(2, 1, 20, 30)
    matte[0, :, 5:10, 6:16] = 1
    result = composite(plate, styled, matte)
    assert result.dtype == dtype
    outside = (matte[:, 0] == 0)[..., None].expand_as(plate)
    assert (result.int() == plate.int())[outside].all()
    inside = styled[0, :, 5:10, 6:16].movedim(0, -1) * torch.iinfo(dtype).max
    assert (result[0, 5:10, 6:16].float() - inside).abs().max() <= 0.5


@pytest.mark.parametrize(("dtype", "middle"), [(torch.uint8, 128), (torch.uint16, 32768)])
def test_half_a_matte_is_half_of_each(dtype: torch.dtype, middle: int) -> None:
    plate = torch.zeros(1, 2, 2, 3, dtype=dtype)
    result = composite(plate, torch.ones(1, 3, 2, 2), torch.full((1, 1, 2, 2), 0.5))
    assert (result.int() - middle).abs().max() <= 1


def test_a_styled_value_out_of_range_is_clipped() -> None:
    plate = torch.full((1, 1, 2, 3), 100, dtype=torch.uint8)
    styled = torch.tensor([-0.2, 1.3]).expand(1, 3, 1, 2)
    result = composite(plate, styled, torch.ones(1, 1, 1, 2))
    assert result.flatten().tolist() == [0, 0, 0, 255, 255, 255]


@pytest.mark.parametrize("radius", [1.0, 2.0, 3.5, 9.0, 25.0])
def test_a_feather_reaches_as_far_as_its_radius(radius: float) -> None:
    matte = torch.zeros(1, 1, 160, 160)
    matte[..., 50:110, 50:110] = 1
    soft = feathered(matte, radius)
    reach = -int(-radius // 1)
    beyond = torch.ones_like(matte, dtype=torch.bool)
    beyond[..., 50 - reach : 110 + reach, 50 - reach : 110 + reach] = False
    assert (soft[beyond] == 0).all()
    assert (soft[..., 50 + reach : 110 - reach, 50 + reach : 110 - reach] == 1).all()
    row = soft[0, 0, 80, :80]
    assert (row.diff() >= 0).all()
    assert row[49] < 0.5 < row[50]
    assert 0 < row[50 - max(1, reach // 2)] < 0.5


def test_no_feather_leaves_the_matte_as_it_is(random: torch.Generator) -> None:
    matte = torch.rand(2, 1, 7, 5, generator=random)
    assert torch.equal(feathered(matte, 0.0), matte)


def test_a_feather_wider_than_the_picture_keeps_a_full_matte_full() -> None:
    assert torch.equal(feathered(torch.ones(1, 1, 6, 9), 30.0), torch.ones(1, 1, 6, 9))


def test_each_matte_is_softened_alone() -> None:
    mattes = torch.zeros(2, 1, 30, 30)
    mattes[0, :, 10:20, 10:20] = 1
    soft = feathered(mattes, 3.0)
    assert (soft[1] == 0).all()
    assert torch.equal(soft[0], feathered(mattes[:1], 3.0)[0])
