"""Domain-adversarial training (Ganin & Lempitsky, ICML 2015).

A classifier learns to tell photographs from, say, drawings or ultrasound by their features. Its
gradient reaches the encoder reversed, so the encoder learns domain-invariant features, and what
the decoder learned on one domain transfers to the other.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return features.view_as(features)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradients[0], None


def reverse_gradient(features: Tensor, strength: float) -> Tensor:
    """Identity in the forward pass; multiplies the gradient by −strength.

    Ganin & Lempitsky 2015, eqs. 7 and 8. Any shape.
    """
    reversed_: Tensor = _Reversal.apply(features, strength)
    return reversed_


class DomainClassifier(nn.Module):
    """Predicts the domain of a picture from its features: (N, C, h, w) → logits (N,).

    Above 0 is the target domain. A mean over positions, so any size of at least 1×1 works.
    """

    def __init__(self, channels: int, width: int = 64) -> None:
        super().__init__()
        self.places = nn.Sequential(
            nn.Conv2d(channels, width, 3, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, width, 3, stride=2, padding=1),
            nn.LeakyReLU(0.2),
        )
        self.verdict = nn.Linear(width, 1)

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.verdict(self.places(features).mean((2, 3)))[:, 0]
        return logits


def domain_loss(classifier: nn.Module, source: Tensor, target: Tensor, strength: float) -> Tensor:
    """Cross-entropy of the classifier, with its gradient to the features reversed.

        ½ (mean −log(1 − p(F_source)) + mean −log p(F_target))

    Ganin & Lempitsky 2015, eq. 9. One minimiser then trains both sides: the classifier to tell the
    domains apart, the encoder to make them indistinguishable.

    Args:
        classifier: (N, C, h, w) → logits (N,), such as :class:`DomainClassifier`.
        source, target: features of the two domains, (N, C, h, w) each; their N may differ.
        strength: of the reversal, e.g. from :func:`reversal_strength`.

    Returns:
        A scalar, log 2 where the classifier can only guess.
    """
    seen_source, seen_target = (
        classifier(reverse_gradient(features, strength)) for features in (source, target)
    )
    return (F.softplus(seen_source).mean() + F.softplus(-seen_target).mean()) / 2


def reversal_strength(progress: float, steepness: float = 10.0) -> float:
    """Strength of the gradient reversal: 0 at first, while the classifier is untrained, towards 1
    at the end.

        2 / (1 + exp(−γ p)) − 1

    Ganin & Lempitsky 2015, eq. 14.

    Args:
        progress: p, the fraction of the training that is done, 0 to 1.
        steepness: γ.
    """
    return 2 / (1 + math.exp(-steepness * progress)) - 1
