"""Motion with its confidence: where a frame can be taken from the one before it."""

import pytest
import torch
from torch import Tensor

from vidstyle.motion.dis import DisFlow
from vidstyle.motion.estimate import Motion, estimate_motion


class Told:
    """An estimator that answers with a given backward flow, and its opposite forwards."""

    name = "told"

    def __init__(self, flow: Tensor, after: Tensor) -> None:
        self._flow, self._after = flow, after

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:  # noqa: ARG002
        return self._flow if torch.equal(first, self._after) else -self._flow


@pytest.fixture
def view(photograph: Tensor) -> Tensor:
    """(1, 3, 200, 300)"""
    return photograph[..., 100:300, 150:450]


@pytest.fixture
def dis() -> DisFlow:
    return DisFlow(540)


def test_a_still_shot_with_grain_is_trusted(view: Tensor, dis: DisFlow) -> None:
    random = torch.Generator().manual_seed(0)
    before, after = (
        (view + torch.randn(view.shape, generator=random) / 100).clamp(0, 1) for _ in range(2)
    )
    motion = estimate_motion(dis, before, after)
    assert motion.flow.shape == (1, 2, 200, 300)
    assert motion.confidence.shape == (1, 1, 200, 300)
    assert motion.flow.abs().mean() < 0.1
    assert motion.confidence.mean() > 0.85


def test_a_pan_is_trusted_and_points_back(photograph: Tensor, dis: DisFlow) -> None:
    before, after = photograph[..., 100:300, 150:450], photograph[..., 100:300, 156:456]
    motion = estimate_motion(dis, before, after)
    # What is at column c now was at c + 6.
    assert (motion.flow[:, 0] - 6).abs().median() < 0.2
    assert motion.confidence[..., 10:-10, 10:-20].mean() > 0.85
    # It came in from the right: nothing before to take it from.
    assert motion.confidence[..., 295:].max() < 0.2


def test_a_change_of_light_is_not_trusted_however_well_the_flow_agrees(view: Tensor) -> None:
    after = view.clone()
    after[..., 50:150, 100:200] = (after[..., 50:150, 100:200] + 0.3).clamp(0, 1)
    motion = estimate_motion(Told(torch.zeros(1, 2, 200, 300), after), view, after)
    changed = motion.confidence[..., 55:145, 105:195]
    assert changed[(after - view)[:, :1, 55:145, 105:195] > 0.2].max() < 0.1
    assert motion.confidence[..., :40, :].min() > 0.95


def test_confidence_falls_with_the_photometric_gap(view: Tensor) -> None:
    flat = torch.full_like(view, 0.4)
    told = torch.zeros(1, 2, 200, 300)
    means = [
        estimate_motion(Told(told, flat + step), flat, flat + step).confidence.mean().item()
        for step in (0.001, 0.03, 0.06, 0.15)
    ]
    assert means == sorted(means, reverse=True)
    assert means[0] > 0.99
    assert means[-1] < 0.1


def test_what_an_object_uncovers_is_not_trusted(photograph: Tensor) -> None:
    """A square moves 12 pixels to the right over a still ground, and the flow is exact."""
    ground, square = photograph[..., 100:300, 150:450], photograph[..., 320:380, 20:80]
    before, after = ground.clone(), ground.clone()
    before[..., 70:130, 100:160] = square
    after[..., 70:130, 112:172] = square
    backward, forward = torch.zeros(1, 2, 200, 300), torch.zeros(1, 2, 200, 300)
    backward[:, 0, 70:130, 112:172] = -12
    forward[:, 0, 70:130, 100:160] = 12

    class Exact:
        name = "exact"

        def __call__(self, first: Tensor, second: Tensor) -> Tensor:  # noqa: ARG002
            return backward if torch.equal(first, after) else forward

    motion = estimate_motion(Exact(), before, after)
    assert motion.confidence[..., 75:125, 100:111].max() < 0.01
    assert motion.confidence[..., 80:120, 122:162].min() > 0.95


def test_a_batch_is_its_pairs_and_can_be_taken_apart(photograph: Tensor, dis: DisFlow) -> None:
    frames = torch.cat([photograph[..., 100:200, 150 + 3 * i : 300 + 3 * i] for i in range(3)])
    both = estimate_motion(dis, frames[:-1], frames[1:])
    for i in range(2):
        alone = estimate_motion(dis, frames[i : i + 1], frames[i + 1 : i + 2])
        assert isinstance(both[i], Motion)
        assert torch.equal(both[i].flow, alone.flow)
        torch.testing.assert_close(both[i].confidence, alone.confidence)
