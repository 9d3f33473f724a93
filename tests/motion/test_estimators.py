"""The contract of FlowEstimator, over every implementation, and their accuracy."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from vidstyle.motion.dis import LIGHT, DisFlow
from vidstyle.motion.estimator import FlowEstimator
from vidstyle.motion.raft import RaftFlow
from vidstyle.motion.warp import warp

Build = Callable[[int], FlowEstimator]


@pytest.fixture(params=["dis", "dis, light", "raft-small"])
def build(request: pytest.FixtureRequest) -> Build:
    """Makes an estimator of the given flow size."""
    if request.param == "dis":
        return DisFlow
    if request.param == "dis, light":
        return partial(DisFlow, effort=LIGHT)
    weights: Path = request.getfixturevalue("raft_small_weights")
    cpu = torch.device("cpu")
    return lambda flow_size: RaftFlow("raft-small", weights, device=cpu, flow_size=flow_size)


@pytest.fixture
def moved(photograph: Tensor) -> tuple[Tensor, Tensor, tuple[float, float]]:
    """A photograph, the same 5.5 px to the right and 2.25 px up, and that motion."""
    motion = (5.5, -2.25)
    flow = torch.tensor(motion)[None, :, None, None].expand(1, 2, *photograph.shape[-2:])
    crop = (..., slice(120, 280), slice(180, 400))
    return photograph[crop], warp(photograph, -flow).clamp(0, 1)[crop], motion


@pytest.mark.parametrize("size", [(1, 1), (1, 37), (19, 2), (130, 67), (128, 136)])
def test_any_size_gives_a_finite_flow_of_that_size(build: Build, size: tuple[int, int]) -> None:
    pair = torch.rand(2, 1, 3, *size, generator=torch.Generator().manual_seed(7))
    flow = build(540)(pair[0], pair[1])
    assert flow.shape == (1, 2, *size)
    assert flow.dtype == torch.float32
    assert flow.isfinite().all()


def test_recovers_a_translation(
    build: Build, moved: tuple[Tensor, Tensor, tuple[float, float]]
) -> None:
    first, second, motion = moved
    interior = build(540)(first, second)[..., 20:-20, 20:-20]
    error = interior - torch.tensor(motion)[None, :, None, None]
    assert error.norm(dim=1).mean() < 0.3


def test_bounded_size_keeps_the_vectors_in_pixels_of_the_input(
    build: Build, moved: tuple[Tensor, Tensor, tuple[float, float]]
) -> None:
    first, second, motion = moved
    flow = build(100)(first, second)  # 160×220 is estimated at 100×138
    assert flow.shape[-2:] == first.shape[-2:]
    error = flow[..., 20:-20, 20:-20] - torch.tensor(motion)[None, :, None, None]
    assert error.norm(dim=1).mean() < 0.5


def test_a_still_picture_does_not_move(build: Build, photograph: Tensor) -> None:
    still = photograph[..., :160, :200]
    assert build(540)(still, still).norm(dim=1).mean() < 0.1


def test_a_batch_equals_its_pairs_one_by_one(
    build: Build, moved: tuple[Tensor, Tensor, tuple[float, float]]
) -> None:
    first, second, _ = moved
    estimator = build(540)
    batch = estimator(torch.cat([first, second]), torch.cat([second, first]))
    singles = torch.cat([estimator(first, second), estimator(second, first)])
    torch.testing.assert_close(batch, singles, atol=1e-2, rtol=0)


def test_the_input_is_left_alone(
    build: Build, moved: tuple[Tensor, Tensor, tuple[float, float]]
) -> None:
    first, second, _ = moved
    kept = first.clone(), second.clone()
    build(540)(first, second)
    assert torch.equal(first, kept[0])
    assert torch.equal(second, kept[1])


def test_pictures_of_two_sizes_are_refused(build: Build) -> None:
    with pytest.raises(ValueError, match="one size"):
        build(540)(torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 9))


@pytest.mark.parametrize(("flow_size", "bound"), [(540, 0.33), (218, 0.55)])
def test_end_point_error_on_sintel(
    build: Build, sintel: tuple[Tensor, Tensor, Tensor], flow_size: int, bound: float
) -> None:
    first, second, truth = sintel
    flow = build(flow_size)(first, second)
    assert (flow - truth).norm(dim=1).mean() < bound


def test_dis_is_opencvs_preset_medium_to_the_bit() -> None:
    """On what the 8-bit codes of a plate come to in [0, 1]."""
    random = np.random.default_rng(3)
    codes = random.integers(0, 256, (2, 96, 128, 3), np.uint8)
    codes[1] = cv2.GaussianBlur(codes[0], (0, 0), 2)
    first, second = torch.from_numpy(codes).movedim(-1, 1)[:, None].float() / 255
    grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in codes]
    medium = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    expected = medium.calc(*grey, np.zeros((96, 128, 2), np.float32))
    np.testing.assert_array_equal(DisFlow(540)(first, second)[0].movedim(0, -1), expected)
