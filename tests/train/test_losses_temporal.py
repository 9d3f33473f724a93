"""Temporal losses: nothing for what moves with the plate, more for what does not."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import skimage.data
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.media.frame import luma
from vidstyle.motion.warp import inside, warp
from vidstyle.train.losses.temporal import (
    Past,
    Projector,
    anchors,
    coherence_loss,
    compound_loss,
    feature_temporal_loss,
    long_term_loss,
    long_term_masks,
    output_temporal_loss,
)
from vidstyle.train.pairs import SyntheticMotion

SHIFT = 8


@pytest.fixture(scope="module")
def wide() -> Tensor:
    """(1, 3, 96, 136) in [0, 1]; frames are cut from it, so that they move by whole pixels."""
    pixels = np.ascontiguousarray(skimage.data.coffee()[60:156, 200:336])
    return torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255


def _frame(wide: Tensor, time: int) -> Tensor:
    """(1, 3, 96, 96): a pan to the right."""
    return wide[..., time * SHIFT : time * SHIFT + 96]


def _past(wide: Tensor, time: int, gap: int, styled: Tensor | None = None) -> Past:
    """The frame ``gap`` before ``time``, with the true flow."""
    plate = _frame(wide, time - gap)
    flow = torch.zeros(1, 2, 96, 96)
    flow[:, 0] = SHIFT * gap
    return Past(_styled(plate) if styled is None else styled, plate, flow, inside(flow))


def _styled(plate: Tensor) -> Tensor:
    """A style without flicker: each pixel by itself."""
    return (1 - plate[:, [2, 0, 1]]).square()


def test_what_moves_with_the_plate_costs_nothing(wide: Tensor) -> None:
    loss = output_temporal_loss(_styled(_frame(wide, 1)), _frame(wide, 1), _past(wide, 1, 1))
    assert loss < 1e-10


def test_flicker_costs_and_not_where_the_past_is_hidden(wide: Tensor) -> None:
    plate, past = _frame(wide, 1), _past(wide, 1, 1)
    flicker = torch.full_like(plate, 0.1)
    loss = output_temporal_loss(_styled(plate) + flicker, plate, past)
    assert loss == pytest.approx(0.01, rel=1e-3)
    hidden = (1 - past.valid).expand_as(flicker)
    assert output_temporal_loss(_styled(plate) + hidden, plate, past) < 1e-10
    nothing = past._replace(valid=torch.zeros_like(past.valid))
    assert output_temporal_loss(_styled(plate) + flicker, plate, nothing) == 0


def test_style_that_stays_on_the_screen_costs(wide: Tensor) -> None:
    """The shower-door effect: a pattern that does not move with the plate."""
    pattern = 0.1 * torch.rand(1, 3, 96, 96, generator=torch.manual_seed(0))
    past = _past(wide, 1, 1, _styled(_frame(wide, 0)) + pattern)
    plate = _frame(wide, 1)
    assert output_temporal_loss(_styled(plate) + pattern, plate, past) > 1e-3


def test_a_change_of_light_in_both_is_forgiven(wide: Tensor) -> None:
    """As much lighter as the plate, the output may become; without it, it must not."""
    past = _past(wide, 1, 1, _frame(wide, 0))
    plate = _frame(wide, 1) + 0.1
    assert output_temporal_loss(plate, plate, past) < 1e-10
    assert output_temporal_loss(plate, _frame(wide, 1), past) == pytest.approx(0.01, rel=1e-3)


def test_colour_of_the_plate_is_no_light(wide: Tensor) -> None:
    """A plate that changes its colour at the same luminance allows nothing."""
    weights = luma(torch.eye(3)[..., None, None])[:, 0, 0, 0]
    tint = torch.tensor([0.1, -0.1 * float(weights[0] / weights[1]), 0])[:, None, None]
    plate = _frame(wide, 1)
    assert output_temporal_loss(_styled(plate), plate + tint, _past(wide, 1, 1)) < 1e-10


def test_features_are_compared_on_their_own_grid(wide: Tensor) -> None:
    """Quarter size: eight pixels are two cells."""
    past = _past(wide, 1, 1)
    before, now = (F.avg_pool2d(_frame(wide, time), 4).repeat(1, 2, 1, 1) for time in (0, 1))
    assert feature_temporal_loss(now, before, past.flow, past.valid) < 1e-10
    assert feature_temporal_loss(now, before, torch.zeros_like(past.flow), past.valid) > 1e-3
    loss = feature_temporal_loss(now + 1, before, past.flow, past.valid)
    assert loss == pytest.approx(1, rel=1e-3)


def test_each_pixel_answers_to_the_nearest_past_that_shows_it() -> None:
    near, middle, far = (
        torch.tensor(row)[None, None, None]
        for row in ([1.0, 0, 0, 0.25], [1.0, 1, 0, 0.5], [1.0] * 4)
    )
    masks = torch.cat(long_term_masks([near, middle, far]), 0)[:, 0, 0]
    wanted = torch.tensor([[1, 0, 0, 0.25], [0, 1, 0, 0.25], [0, 0, 1, 0.25]])
    torch.testing.assert_close(masks, wanted)


def test_long_term_loss_sees_what_the_short_one_cannot(wide: Tensor) -> None:
    """A place hidden in the last frame comes back in other colours."""
    plate, styled = _frame(wide, 3), _styled(_frame(wide, 3))
    near, far = _past(wide, 3, 1), _past(wide, 3, 3)
    near.valid[..., 30:60, 20:50] = 0
    changed = styled.clone()
    changed[..., 30:60, 20:50] += 0.3
    assert output_temporal_loss(changed, plate, near) < 1e-10
    assert long_term_loss(styled, plate, [near, far]) < 1e-10
    assert long_term_loss(changed, plate, [near, far]) > 0.01


def test_no_pixel_answers_twice(wide: Tensor) -> None:
    """What the nearest past shows costs once, however many others show it too."""
    plate, pasts = _frame(wide, 3), [_past(wide, 3, gap) for gap in (1, 2, 3)]
    flicker = _styled(plate) + 0.1
    once = output_temporal_loss(flicker, plate, pasts[0])
    torch.testing.assert_close(long_term_loss(flicker, plate, pasts), once)


def test_styling_that_commutes_with_motion_costs_nothing(wide: Tensor) -> None:
    picture = _frame(wide, 0)
    moved = SyntheticMotion(noise=0, light=0)(picture, np.random.default_rng(0))

    def cost(style: Callable[[Tensor], Tensor]) -> float:
        outputs = style(moved.after), style(picture)
        return float(compound_loss(*outputs, moved.flow, moved.valid))

    assert cost(lambda x: 0.5 * x + 0.2) < 1e-8
    pattern = 0.2 * torch.rand(1, 3, 96, 96, generator=torch.manual_seed(0))
    assert cost(lambda x: x + pattern) > 1e-3


def test_styling_that_amplifies_noise_costs_more(wide: Tensor) -> None:
    picture = _frame(wide, 0)
    moved = SyntheticMotion(light=0)(picture, np.random.default_rng(0))
    costs = [
        float(compound_loss(gain * moved.after, gain * picture, moved.flow, moved.valid))
        for gain in (1, 2)
    ]
    assert costs[0] > 1e-4
    assert costs[1] == pytest.approx(4 * costs[0], rel=1e-3)


def _patches(picture: Tensor) -> Tensor:
    """(N, 3, H, W) to (N, 27, H − 2, W − 2): each cell with what is around it."""
    height, width = picture.shape[-2:]
    return F.unfold(picture, 3).unflatten(2, (height - 2, width - 2))


def test_coherence_is_lowest_for_the_content_itself(wide: Tensor) -> None:
    """Also at another contrast; the more its texture differs, the higher it is."""
    picture = _frame(wide, 0)
    noise = torch.randn(picture.shape, generator=torch.manual_seed(0))
    at = anchors((94, 94), 32, np.random.default_rng(0))

    def cost(output: Tensor) -> float:
        return float(coherence_loss(_patches(output), _patches(picture), at))

    assert cost(3 * picture - 1) == pytest.approx(cost(picture), rel=1e-4)
    costs = [cost(picture + strength * noise) for strength in (0, 0.01, 0.05, 0.2)]
    assert costs == sorted(costs)
    assert costs[3] > 2 * costs[0]
    assert cost(torch.ones_like(picture)) == pytest.approx(math.log(8 * 32))


def test_anchors_have_neighbours() -> None:
    at = anchors((5, 7), 100, np.random.default_rng(0))
    assert len(at.unique(dim=0)) == len(at) == 3 * 5
    assert at.amin(0).tolist() == [1, 1]
    assert at.amax(0).tolist() == [3, 5]


def test_gradients_reach_the_present_the_past_and_the_projector(wide: Tensor) -> None:
    output = _styled(_frame(wide, 1)).add(0.01).requires_grad_()
    past = _past(wide, 1, 1, _styled(_frame(wide, 0)).requires_grad_())
    project = Projector(27)
    at = anchors((94, 94), 16, np.random.default_rng(0))
    loss = (
        output_temporal_loss(output, _frame(wide, 1), past)
        + feature_temporal_loss(output, past.output, past.flow, past.valid)
        + compound_loss(output, past.output, past.flow, past.valid)
        + coherence_loss(_patches(output), _patches(_frame(wide, 1)), at, project)
    )
    loss.backward()
    for tensor in (output, past.output, *project.parameters()):
        assert tensor.grad is not None
        assert tensor.grad.isfinite().all()
    assert (output.grad.abs().amax() > 0) & (past.output.grad.abs().amax() > 0)


def test_warp_is_differentiable_in_the_picture() -> None:
    picture = torch.rand(1, 1, 5, 6, generator=torch.manual_seed(0), requires_grad=True)
    flow = torch.full((1, 2, 5, 6), 0.25)
    warp(picture, flow, "bilinear").sum().backward()
    assert picture.grad is not None
    assert picture.grad.sum() == pytest.approx(30, rel=1e-5)
