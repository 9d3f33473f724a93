"""Shares of bleached and crushed pixels, of pictures whose shares are known."""

import math

import pytest
import torch

from vidstyle.evaluate.clipping import Clipped, allowed, clipped


def picture(*rows: tuple[int, int, int]) -> torch.Tensor:
    """(1, 3, N, 10): a row of pixels of each colour."""
    colours = torch.tensor(rows, dtype=torch.float32) / 255
    return colours.T[None, :, :, None].expand(-1, -1, -1, 10)


def test_ends_of_the_range_count_and_what_lies_within_does_not() -> None:
    ends = picture((255, 255, 255), (255, 255, 240), (4, 0, 12), (249, 249, 249), (6, 6, 6))
    assert clipped(ends) == pytest.approx((0.4, 0.2))


@pytest.mark.parametrize("colour", [(255, 0, 0), (255, 255, 0), (0, 0, 255)])
def test_a_pure_colour_is_neither_bleached_nor_crushed(colour: tuple[int, int, int]) -> None:
    assert clipped(picture(colour)) == (0, 0)


def test_only_the_mask_counts() -> None:
    image = picture((255, 255, 255), (0, 0, 0), (0, 0, 0), (0, 0, 0))
    mask = torch.zeros(1, 1, 4, 10)
    mask[:, :, :2] = 0.5
    assert clipped(image, mask) == (0.5, 0.5)
    assert all(math.isnan(share) for share in clipped(image, 0 * mask))


def test_a_result_may_have_what_its_style_or_its_plate_has() -> None:
    style, plate = Clipped(white=0.1, black=0.02), Clipped(white=0.01, black=0.2)
    assert allowed(style, plate) == pytest.approx((0.15, 0.2))
