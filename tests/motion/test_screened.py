"""The solver of the temporal step, against a dense solution and by its symmetries."""

import torch
from torch import Tensor

from vidstyle.motion.screened import screened_poisson

H, W = 14, 17
PRIOR = 0.25


def problem(seed: int, height: int = H, width: int = W) -> tuple[Tensor, Tensor]:
    """A target in [-1, 1] and a weight with places that are not known."""
    random = torch.Generator().manual_seed(seed)
    target = 2 * torch.rand(1, 3, height, width, generator=random) - 1
    weight = torch.rand(1, 1, height, width, generator=random)
    weight[..., 3:9, 4:11] = 0
    return target, weight


def dense(target: Tensor, weight: Tensor) -> Tensor:
    """By elimination, with the Laplacian of the grid as a graph."""
    laplacian = torch.zeros(H * W, H * W)
    index = torch.arange(H * W).reshape(H, W)
    for one, other in ((index[:, 1:], index[:, :-1]), (index[1:], index[:-1])):
        for a, b in zip(one.flatten().tolist(), other.flatten().tolist(), strict=True):
            laplacian[[a, b], [a, b]] += 1
            laplacian[[a, b], [b, a]] -= 1
    system = laplacian + torch.diag(weight.flatten() + PRIOR)
    solution: Tensor = torch.linalg.solve(system, (weight * target).flatten(2)[0].T)
    return solution.T.reshape(1, 3, H, W)


def test_it_converges_to_the_dense_solution() -> None:
    target, weight = problem(0)
    expected = dense(target, weight)
    error = [
        (screened_poisson(target, weight, PRIOR, steps) - expected).abs().max()
        for steps in (8, 16, 60)
    ]
    assert error[0] < 0.03 * target.abs().max()
    assert error[1] < error[0] / 4
    assert error[2] < 1e-5


def test_a_constant_is_scaled_by_its_weight_over_all_weight() -> None:
    target = torch.full((1, 3, H, W), 0.4)
    result = screened_poisson(target, torch.ones(1, 1, H, W), PRIOR, 12)
    torch.testing.assert_close(
        result, 0.4 / (1 + PRIOR) * torch.ones_like(target), rtol=0.01, atol=0
    )


def test_where_nothing_is_known_there_is_no_correction() -> None:
    target, _ = problem(1)
    result = screened_poisson(target, torch.zeros(1, 1, H, W), PRIOR, 8)
    assert torch.equal(result, torch.zeros_like(target))


def test_a_pixel_depends_on_those_within_reach_only() -> None:
    steps = 5
    target, weight = problem(2, 30, 40)
    whole = screened_poisson(target, weight, PRIOR, steps)
    crop = (..., slice(4, 26), slice(6, 36))
    inner = (..., slice(steps, -steps), slice(steps, -steps))
    part = screened_poisson(target[crop], weight[crop], PRIOR, steps)
    torch.testing.assert_close(part[inner], whole[crop][inner], rtol=0, atol=1e-6)
