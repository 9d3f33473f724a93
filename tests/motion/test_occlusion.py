"""Validity against a scene whose occlusion is known exactly: a square over a background."""

import pytest
import torch
from torch import Tensor

from vidstyle.motion.occlusion import valid

SIZE = (90, 120)
SHIFT = 6  # the square moves this far to the right from frame t−1 to t


def scene() -> tuple[Tensor, Tensor, Tensor]:
    """Forward and backward flow, and the pixels of frame t that frame t−1 did not show."""
    forward, backward = torch.zeros(1, 2, *SIZE), torch.zeros(1, 2, *SIZE)
    before, after = torch.zeros(SIZE, dtype=torch.bool), torch.zeros(SIZE, dtype=torch.bool)
    before[30:60, 40:70] = True
    after[30:60, 40 + SHIFT : 70 + SHIFT] = True
    forward[0, 0, before] = SHIFT
    backward[0, 0, after] = -SHIFT
    return forward, backward, before & ~after


def test_what_was_hidden_fails_and_all_else_away_from_edges_holds() -> None:
    forward, backward, hidden = scene()
    held = valid(forward, backward)[0, 0].bool()
    assert not held[hidden].any()
    edge = torch.zeros(SIZE, dtype=torch.bool)
    edge[28:62, 38:78] = True
    edge[32:58, 48:74] = False
    assert held[~edge].all()


def test_motion_boundaries_fail() -> None:
    forward, backward, _ = scene()
    held = valid(forward, backward)[0, 0]
    assert held[45, 70 + SHIFT] == 0  # the first background pixel right of the square
    assert held[45, 70 + SHIFT - 1] == 0  # the last pixel of the square


def test_samples_that_leave_the_frame_fail() -> None:
    pan = torch.zeros(1, 2, *SIZE)
    pan[:, 0] = 4
    held = valid(pan, -pan)[0, 0]
    assert held[:, 4:].all()
    assert not held[:, :4].any()


@pytest.mark.parametrize(("error", "holds"), [(0.6, True), (0.8, False)])
def test_the_threshold_is_in_pixels_squared(error: float, holds: bool) -> None:
    """At rest the bound is 0.5 px²: 0.6² is below it, 0.8² is above."""
    backward = torch.zeros(1, 2, *SIZE)
    forward = torch.zeros(1, 2, *SIZE)
    forward[:, 1] = error
    assert bool(valid(forward, backward).all()) is holds
