"""What keeps a medical picture legible: shapes count, colour and brightness do not."""

from collections.abc import Callable

import numpy as np
import pytest
import skimage.data
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.train.losses.preserving import gradient_loss, laplacian_loss, structure_loss

Loss = Callable[[Tensor, Tensor], Tensor]
LOSSES = [laplacian_loss, gradient_loss, structure_loss]


@pytest.fixture(scope="module")
def slide() -> Tensor:
    """Stained tissue under the microscope: (1, 3, 128, 128) in [0, 1]."""
    pixels = np.ascontiguousarray(skimage.data.immunohistochemistry()[200:328, 200:328])
    return torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255


@pytest.mark.parametrize("loss", LOSSES)
def test_the_same_picture_costs_nothing(loss: Loss, slide: Tensor) -> None:
    assert loss(slide, slide) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_brightness_is_free_and_damage_is_not(loss: Loss, slide: Tensor) -> None:
    """The more is blurred away, the more it costs; inversion costs more than loss."""
    assert loss(0.9 * slide + 0.1, slide) < 0.05 * loss(1 - slide, slide)
    blurred = F.avg_pool2d(slide, 9, 1, 4, count_include_pad=False)
    flat = slide.mean((2, 3), keepdim=True).expand_as(slide)
    costs = [float(loss(picture, slide)) for picture in (blurred, flat, 1 - slide)]
    assert 0 < costs[0] < costs[1] < costs[2]


@pytest.mark.parametrize("loss", LOSSES)
def test_both_directions_count_alike(loss: Loss, slide: Tensor) -> None:
    """Streaks down cost what streaks across do."""
    streaks = slide + 0.2 * torch.rand(1, 1, 1, 128, generator=torch.manual_seed(0))
    turned = loss(streaks.mT, slide.mT)
    torch.testing.assert_close(turned, loss(streaks, slide))
    assert turned > 1e-3


def test_structure_lies_between_zero_and_two(slide: Tensor) -> None:
    noise = torch.rand(slide.shape, generator=torch.manual_seed(0))
    assert structure_loss(noise, slide) == pytest.approx(1, abs=0.1)
    assert 1.5 < structure_loss(1 - slide, slide) <= 2


def test_the_two_laplacians_hold_two_scales(slide: Tensor) -> None:
    """Fine noise shows in the small pooling, a slow wave in the large one."""
    noise = 0.1 * torch.randn(slide.shape, generator=torch.manual_seed(0))
    wave = (0.1 * torch.sin(torch.arange(128) * (2 * np.pi / 64))).expand_as(slide)
    fine, coarse = (
        [float(laplacian_loss(slide + change, slide, (pool,))) for change in (noise, wave)]
        for pool in (4, 16)
    )
    assert fine[0] > 10 * fine[1]
    assert coarse[1] > 10 * coarse[0]


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_finite_and_lead_back(loss: Loss, slide: Tensor) -> None:
    """Also from a flat picture, where SSIM divides by variances."""
    for start in (F.avg_pool2d(slide, 9, 1, 4), torch.full_like(slide, 0.5)):
        output = start.clone().requires_grad_()
        before = loss(output, slide)
        before.backward()
        assert output.grad is not None
        assert output.grad.isfinite().all()
        step = output.detach() - 1e-3 * output.grad / output.grad.abs().max()
        assert loss(step, slide) < before
