"""A scene's truth: the flow and what is shown agree with its pictures and its mattes."""

import numpy as np
import pytest
import torch
from torch import Tensor

from vidstyle.motion.occlusion import valid
from vidstyle.motion.warp import warp


@pytest.fixture(scope="module")
def shot():
    from make_shot import scene

    return scene()


def tensor(image: np.ndarray) -> Tensor:
    """(H, W) or (H, W, C) to (1, C, H, W)."""
    return torch.from_numpy(np.atleast_3d(image)).permute(2, 0, 1)[None]


@pytest.mark.parametrize(("time", "other"), [(30, 31), (31, 30), (40, 50)])
def test_the_other_frame_along_the_flow_is_this_frame(shot, time: int, other: int) -> None:
    flow, shown = shot.flow(time, other)
    sure = shown > 0.98
    assert sure.mean() > 0.8
    error = warp(tensor(shot.picture(other)), tensor(flow)) - tensor(shot.picture(time))
    assert error.square().mean(dim=1)[0][torch.from_numpy(sure)].mean().sqrt() < 0.012
    moved = error.new_tensor(shot.picture(other)) - error.new_tensor(shot.picture(time))
    assert moved[torch.from_numpy(sure)].square().mean().sqrt() > 0.05


def test_the_matte_moves_with_the_flow(shot) -> None:
    flow, shown = shot.flow(30, 33)
    sure = torch.from_numpy(shown > 0.98)
    here, there = (tensor(shot.mattes(time)[1]) for time in (30, 33))
    error = warp(there, tensor(flow), "bilinear") - here
    assert error[0, 0][sure].abs().max() < 0.1
    assert 0.15 < here.mean() < 0.4


def test_mattes_fill_every_pixel(shot) -> None:
    np.testing.assert_allclose(shot.mattes(12.5).sum(axis=0), 1, atol=1e-5)


def test_what_is_uncovered_is_not_shown_and_flow_consistency_finds_it(shot) -> None:
    backward, shown = shot.flow(40, 36)
    forward, _ = shot.flow(36, 40)
    hidden = torch.from_numpy(shown < 0.02)
    backdrop = torch.from_numpy(shot.mattes(40)[0] > 0.98)
    subject = tensor(shot.mattes(36)[1])
    uncovered = hidden & backdrop & (warp(subject, tensor(backward), "nearest")[0, 0] > 0.98)
    assert uncovered.sum() > 500
    held = valid(tensor(forward), tensor(backward))[0, 0].bool()
    assert not held[uncovered].any()
    assert held[torch.from_numpy(shown > 0.98)].float().mean() > 0.98
