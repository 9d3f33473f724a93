"""The pyramid and what is matched in it."""

from math import log2

import pytest
import torch
from torch import Tensor

from vidstyle.style.finish import in_scales, rescaled
from vidstyle.style.network import GRID
from vidstyle.style.pyramid import LEVELS, joined, split
from vidstyle.style.transform import Statistics, transport


def statistics(picture: Tensor, mask: Tensor) -> list[Statistics]:
    return [Statistics.gather(*part) for part in in_scales(picture, mask)]


def test_joined_is_the_inverse(photograph: Tensor) -> None:
    levels = split(photograph)
    assert len(levels) == LEVELS
    torch.testing.assert_close(joined(levels), photograph)


def test_it_ends_in_the_cells_of_the_grid(photograph: Tensor) -> None:
    last = split(photograph)[-1]
    assert photograph.shape[-1] / last.shape[-1] == GRID


@pytest.mark.parametrize("length", [4, 16, 64])
def test_a_wave_is_in_the_level_of_its_length(length: int) -> None:
    """And in hardly any other; those too long for the details are in what remains."""
    columns = torch.arange(256.0)
    wave = torch.sin(2 * torch.pi * columns / length).expand(1, 1, 256, 256)
    energies = torch.stack([level.square().mean() for level in split(wave)])
    assert energies.argmax() == min(log2(length) - 2, LEVELS - 1)


def test_what_is_pale_is_so_no_more(photograph: Tensor) -> None:
    """Colours and contrast are the photograph's again at every scale."""
    pale, everywhere = 0.3 + 0.5 * photograph, torch.ones_like(photograph[:, :1])
    before, style = (statistics(each, everywhere) for each in (pale, photograph))
    scales = [transport(*pair, ridge=0.01) for pair in zip(before, style, strict=True)]
    after = statistics(rescaled(pale, scales), everywhere)
    for one, other, wanted in zip(before, after, style, strict=True):
        torch.testing.assert_close(other.mean, wanted.mean, atol=2e-3, rtol=0)
        far, near = ((each.covariance - wanted.covariance).norm() for each in (one, other))
        assert near < far / 10


def test_only_what_the_matte_covers_counts(photograph: Tensor) -> None:
    """What is outside, farther than the last level sees, does not."""
    mask = torch.zeros_like(photograph[:, :1])
    mask[..., 40:120, 80:160] = 1
    other = photograph.clone()
    far = torch.nn.functional.max_pool2d(mask, 6 * GRID + 1, 1, 3 * GRID) == 0
    other = torch.where(far, 1 - other, other)
    for one, two in zip(statistics(photograph, mask), statistics(other, mask), strict=True):
        torch.testing.assert_close(one.covariance, two.covariance)
        torch.testing.assert_close(one.mean, two.mean)
