"""The closed-form transform and its statistics."""

import torch
from torch import Tensor

from vidstyle.style.transform import Statistics, optimal_map, shrunk, square_root


def _covariance(channels: int, seed: int) -> Tensor:
    root = torch.randn(
        channels, channels, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    return root @ root.T + 0.1 * torch.eye(channels, dtype=torch.float64)


def test_the_map_gives_the_styles_covariance() -> None:
    content, style = _covariance(12, 0), _covariance(12, 1)
    matrix = optimal_map(content, style, ridge=0.0)
    torch.testing.assert_close(matrix @ content @ matrix.T, style)


def test_the_map_is_symmetric_and_the_identity_for_equal_statistics() -> None:
    """Symmetric positive definite: the gradient of a convex function, hence optimal (Brenier)."""
    content, style = _covariance(12, 0), _covariance(12, 1)
    matrix = optimal_map(content, style, ridge=0.1)
    torch.testing.assert_close(matrix, matrix.T)
    assert torch.linalg.eigvalsh(matrix).min() > 0
    torch.testing.assert_close(
        optimal_map(content, content, ridge=0.1), torch.eye(12, dtype=torch.float64)
    )


def test_the_map_of_one_channel_is_the_ratio_of_deviations() -> None:
    nine, four = torch.tensor([[9.0]]).double(), torch.tensor([[4.0]]).double()
    torch.testing.assert_close(optimal_map(nine, four, 0.0), torch.tensor([[2 / 3]]).double())


def test_the_ridge_bounds_the_gain_where_content_is_flat() -> None:
    flat, style = torch.zeros(12, 12, dtype=torch.float64), _covariance(12, 1)
    gain = torch.linalg.matrix_norm(optimal_map(flat, style, ridge=0.1), 2)
    bound = (torch.linalg.eigvalsh(style).max() / (0.1 * style.diagonal().mean()) + 1).sqrt()
    assert gain <= bound * (1 + 1e-9)


def test_a_plain_colour_is_a_style() -> None:
    """Nothing varies in it; in what it paints, some features do not either."""
    content = torch.diag(torch.tensor([1.0, 0.1, 0.0]).double())
    matrix = optimal_map(content, torch.zeros(3, 3).double(), ridge=0.1).float()
    assert matrix.isfinite().all()
    assert (matrix.abs() @ content.float().sqrt()).max() < 1e-3


def test_gradient_of_the_square_root() -> None:
    """Against finite differences, also where eigenvalues coincide."""
    for matrix in (_covariance(4, 2), 3 * torch.eye(4, dtype=torch.float64)):
        matrix.requires_grad_()

        def both(m: Tensor) -> Tensor:
            symmetric = (m + m.T) / 2
            return square_root(symmetric) + square_root(symmetric, inverted=True)

        assert torch.autograd.gradcheck(both, matrix)


def test_statistics_add_up_over_parts() -> None:
    features = torch.randn(2, 5, 6, 8)
    whole = Statistics.gather(features)
    parts = Statistics.gather(features[:1]) + Statistics.gather(features[1:])
    torch.testing.assert_close(parts.covariance, whole.covariance)
    flat = features.transpose(0, 1).flatten(1).double()
    torch.testing.assert_close(whole.mean, flat.mean(1))
    torch.testing.assert_close(whole.covariance, flat.cov(correction=0))


def test_statistics_count_only_what_the_mask_allows() -> None:
    features = torch.randn(1, 5, 6, 8)
    mask = torch.zeros(1, 1, 6, 8)
    mask[..., 2:5, 1:4] = 1
    masked = Statistics.gather(features, mask)
    inside = Statistics.gather(features[..., 2:5, 1:4])
    assert masked.weight == 9
    torch.testing.assert_close(masked.covariance, inside.covariance)


def test_few_samples_are_shrunk_to_an_invertible_covariance() -> None:
    few = Statistics.gather(torch.randn(1, 32, 3, 3))
    assert torch.linalg.matrix_rank(few.covariance) < 32
    assert torch.linalg.matrix_rank(shrunk(few)) == 32
    torch.testing.assert_close(shrunk(few).diagonal(), few.covariance.diagonal())
