"""Content and identity: nothing for the same, more for what each is meant to see."""

import numpy as np
import pytest
import skimage.data
import torch
from torch import Tensor

from vidstyle.train.losses.content import (
    content_loss,
    feature_identity,
    normalised_channels,
    outside_loss,
    pixel_identity,
    total_variation,
)


@pytest.fixture(scope="module")
def picture() -> Tensor:
    """(1, 3, 80, 100) in [0, 1]."""
    pixels = np.ascontiguousarray(skimage.data.chelsea()[100:180, 150:250])
    return torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255


def test_content_by_hand() -> None:
    ones, fours = torch.ones(1, 2, 3, 3), torch.full((1, 2, 3, 3), 4.0)
    assert content_loss(ones, fours) == 9
    assert content_loss(ones, ones) == 0


def test_normalised_content_forgives_another_scale_but_no_other_place(picture: Tensor) -> None:
    """Mean and deviation of a channel are style; where it is bright is content."""
    scale = torch.tensor([0.5, 2, 3])[:, None, None]
    assert content_loss(picture * scale + 1, picture, normalised=True) < 1e-4
    assert content_loss(picture * scale + 1, picture) > 0.1
    assert content_loss(picture.flip(3), picture, normalised=True) > 0.5


def test_normalised_channels(picture: Tensor) -> None:
    channels = normalised_channels(torch.cat([picture, torch.ones_like(picture)], 1))
    torch.testing.assert_close(channels.mean((2, 3)), torch.zeros(1, 6), atol=1e-5, rtol=0)
    std = channels.std((2, 3), correction=0)
    torch.testing.assert_close(std, torch.tensor([[1.0, 1, 1, 0, 0, 0]]), atol=1e-2, rtol=0)


def test_total_variation_by_hand(picture: Tensor) -> None:
    """One column of ones on zeros: four steps of 1 on three columns of two differences."""
    stripe = torch.tensor([[[[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]]])
    assert total_variation(stripe) == 1
    assert total_variation(torch.full((1, 3, 4, 4), 0.3)) == 0
    noisy = picture + 0.05 * torch.randn(picture.shape, generator=torch.manual_seed(0))
    assert total_variation(noisy) > total_variation(picture)


def test_identity_rises_with_every_change(picture: Tensor) -> None:
    assert pixel_identity(picture, picture) == 0
    assert pixel_identity(picture + 0.1, picture) == pytest.approx(0.01, rel=1e-4)
    seen = {"a": picture, "b": 100 * picture}
    assert feature_identity(seen, seen) == 0
    # A layer of large features weighs no more than another.
    one = feature_identity({"a": 1.1 * picture, "b": 100 * picture}, seen)
    other = feature_identity({"a": picture, "b": 110 * picture}, seen)
    torch.testing.assert_close(one, other)
    assert one == pytest.approx(0.005, rel=1e-3)


def test_outside_counts_nothing_but_the_outside(picture: Tensor) -> None:
    mask = torch.zeros_like(picture[:, :1])
    mask[..., 20:60, 30:70] = 1
    assert outside_loss(torch.where(mask > 0, 0.0, picture), picture, mask) == 0
    assert outside_loss(picture + 0.1 * (1 - mask), picture, mask) == pytest.approx(0.01, rel=1e-4)
    # Where all is the object, nothing is outside, and nothing is divided by it.
    assert outside_loss(picture + 1, picture, torch.ones_like(mask)) == 0


def test_half_covered_pixels_count_half(picture: Tensor) -> None:
    mask = torch.zeros_like(picture[:, :1])
    mask[..., :50] = 0.5
    changed = picture.clone()
    changed[..., :50] += 0.2
    # ½ · 0.04 on one half, nothing on the other; weights ½ and 1.
    assert outside_loss(changed, picture, mask) == pytest.approx(0.02 / 1.5, rel=1e-4)
