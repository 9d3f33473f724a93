"""The metrics against cases worked out by hand."""

import pytest
import torch
from torch import Tensor

from vidstyle.evaluate.metrics import (
    detail_ratio,
    masked_mean,
    temporal_error,
    warping_error,
)


def flat(*values: float, size: tuple[int, int] = (4, 6)) -> Tensor:
    """One flat grey picture for each value: (N, 3, H, W)."""
    return torch.tensor(values)[:, None, None, None].expand(-1, 3, *size).clone()


def still(count: int = 1, size: tuple[int, int] = (4, 6)) -> tuple[Tensor, Tensor]:
    """No motion, and a mask that takes everything."""
    return torch.zeros(count, 2, *size), torch.ones(count, 1, *size)


def test_a_brightness_step_is_its_square_and_its_size() -> None:
    pair = flat(0.7, 0.5), flat(0.4, 0.5), *still(2)
    torch.testing.assert_close(warping_error(*pair), torch.tensor([0.09, 0.0]))
    torch.testing.assert_close(temporal_error(*pair), torch.tensor([0.3, 0.0]))


def test_channels_are_averaged_not_summed() -> None:
    now, before = flat(0.5), flat(0.5)
    now[:, 0] += 0.3
    assert warping_error(now, before, *still()).item() == pytest.approx(0.09 / 3)


def test_only_what_the_mask_takes_counts_and_it_is_weighted() -> None:
    now, before = flat(0.5), flat(0.5)
    now[..., 0] += 0.2
    now[..., 1] += 0.4
    flow, mask = still()
    mask[..., 2:] = 0
    assert warping_error(now, before, flow, mask).item() == pytest.approx((0.04 + 0.16) / 2)
    mask[..., 1] = 0.5
    assert warping_error(now, before, flow, mask).item() == pytest.approx((0.04 + 0.08) / 1.5)


def test_an_empty_mask_gives_no_score() -> None:
    flow, mask = still()
    assert warping_error(flat(0.5), flat(0.1), flow, 0 * mask).isnan().all()


def test_the_flow_points_from_now_to_before() -> None:
    """A ramp of 0.1 a column moves one column to the right."""
    before = (torch.arange(6.0) / 10).expand(1, 3, 4, 6)
    now = before - 0.1
    flow, mask = still()
    mask[..., 0] = mask[..., 4:] = 0  # the border is repeated outside
    flow[:, 0] = -1
    assert warping_error(now, before, flow, mask).item() == pytest.approx(0, abs=1e-12)
    flow[:, 0] = 1
    assert warping_error(now, before, flow, mask).item() == pytest.approx(0.2**2, rel=1e-5)


def test_a_box_blur_of_a_checkerboard_leaves_a_ninth_of_its_amplitude() -> None:
    board = ((torch.arange(9)[:, None] + torch.arange(9)) % 2).float().expand(1, 3, -1, -1)
    blurred = torch.nn.functional.avg_pool2d(board, 3, 1)
    assert detail_ratio(blurred, board).item() == pytest.approx(1 / 81, rel=1e-4)
    assert detail_ratio(board, board).item() == 1


def test_detail_is_that_of_each_picture() -> None:
    noise = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    halved = torch.stack([noise[0], noise[1] / 2])
    torch.testing.assert_close(detail_ratio(halved, noise), torch.tensor([1.0, 0.25]))


def test_detail_counts_where_the_mask_is() -> None:
    noise = torch.rand(1, 3, 8, 10, generator=torch.Generator().manual_seed(1))
    result, left = noise.clone(), torch.zeros(1, 1, 8, 10)
    result[..., 5:] = 0.5
    left[..., :4] = 1  # one column short of the change, which the Laplacian sees
    assert detail_ratio(result, noise, left).item() == 1
    assert detail_ratio(result, noise, 1 - left).item() < 0.7
    assert detail_ratio(result, noise, 0 * left).isnan()


def test_a_mean_over_a_mask_for_several_pictures() -> None:
    values = torch.tensor([[1.0, 3.0], [5.0, 9.0]])[:, None, None]
    mask = torch.tensor([1.0, 3.0]).view(1, 1, 1, 2)
    assert masked_mean(values, mask).tolist() == [2.5, 8.0]
    assert masked_mean(values, 0 * mask).isnan().all()
