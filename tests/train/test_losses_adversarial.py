"""The adversarial game: the classifier learns, and the features learn to hide."""

import math

import numpy as np
import pytest
import skimage.data
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vidstyle.train.losses.adversarial import (
    DomainClassifier,
    domain_loss,
    reversal_strength,
    reverse_gradient,
)


def test_the_gradient_comes_back_reversed() -> None:
    features = torch.rand(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.equal(reverse_gradient(features, 0.5), features)
    reverse_gradient(features, 0.5).square().sum().backward()
    torch.testing.assert_close(features.grad, -0.5 * 2 * features.detach())
    # Reversed twice it is the true gradient again, of first order and of second.
    twice = lambda x: reverse_gradient(reverse_gradient(x, 2.0), 0.5).pow(3)  # noqa: E731
    assert torch.autograd.gradcheck(twice, features)
    assert torch.autograd.gradgradcheck(twice, features)


def test_the_schedule() -> None:
    assert reversal_strength(0) == 0
    assert reversal_strength(0.1) == pytest.approx(math.tanh(0.5))
    assert 0.999 < reversal_strength(1) < 1


def test_guessing_costs_log_two() -> None:
    class Guess(nn.Module):
        def forward(self, features: Tensor) -> Tensor:
            return features.new_zeros(len(features))

    features = torch.rand(3, 4, 5, 5)
    assert domain_loss(Guess(), features, features[:1], 1) == pytest.approx(math.log(2))


@pytest.mark.parametrize("size", [(1, 1), (7, 12)])
def test_any_size_of_features_has_a_verdict(size: tuple[int, int]) -> None:
    assert DomainClassifier(6)(torch.rand(3, 6, *size)).shape == (3,)


@pytest.fixture(scope="module")
def domains() -> list[NDArray[np.uint8]]:
    """A photograph in colour, and a scan in grey: (H, W, 3) each."""
    return [skimage.data.astronaut(), np.repeat(skimage.data.moon()[..., None], 3, axis=2)]


def _crops(picture: NDArray[np.uint8], random: np.random.Generator) -> Tensor:
    """(8, 3, 32, 32) in [0, 1]."""
    corners = random.integers(0, np.array(picture.shape[:2]) - 32, (8, 2))
    cut = [picture[y : y + 32, x : x + 32] for y, x in corners]
    return torch.from_numpy(np.stack(cut)).movedim(-1, 1) / 255


def test_one_minimiser_plays_both_sides(domains: list[NDArray[np.uint8]]) -> None:
    """The classifier alone tells the domains apart; against features that may change, it cannot."""

    def trained(strength: float) -> float:
        torch.manual_seed(0)
        encoder = nn.Conv2d(3, 8, 3, 2, 1)
        classifier = DomainClassifier(8, 16)
        game = torch.optim.Adam([*encoder.parameters(), *classifier.parameters()], 3e-3)
        losses = []
        for step in range(150):
            random = np.random.default_rng(step)
            photograph, scan = (encoder(_crops(picture, random)) for picture in domains)
            loss = domain_loss(classifier, photograph, scan, strength)
            game.zero_grad()
            loss.backward()
            game.step()
            losses.append(float(loss.detach()))
        return sum(losses[-20:]) / 20

    assert trained(0) < 0.35
    assert trained(1) > 0.5
