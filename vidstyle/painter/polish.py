"""Brushwork over a patch-based painting: a few steps towards the style's Gram matrices."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.media.frame import luma
from vidstyle.perceptual.network import PerceptualNetwork
from vidstyle.perceptual.statistics import gram, gram_distance
from vidstyle.style.pyramid import joined, split

STEPS = 10
#: Learning rate of the optimiser, and the share of it that its linear decay ends at.
RATE, LAST_RATE = 0.006, 0.2
#: Weight of the deepest layer's features, relative to all Gram matrices.
CONTENT = 0.6
#: Weight of the penalty for leaving [0, 1].
RANGE = 10.0
#: Pyramid levels, each half the size of the one before, that steps act on at once.
LEVELS = 5


@torch.enable_grad()
def polished(
    paint: Tensor,
    content: Tensor,
    matte: Tensor,
    style: Tensor,
    network: PerceptualNetwork,
    advance: Callable[[int], None] = lambda _: None,
) -> Tensor:
    """Give a painting the style's relief.

    Gatys et al. (CVPR 2016), starting from a painting rather than from noise, and on a Laplacian
    pyramid, so that steps act on all scales at once (Kolkin et al., "Style transfer by relaxed
    optimal transport and self-similarity", CVPR 2019). Only the change in luma is kept: in so few
    steps, colour changes are mere noise.

    Args:
        paint: (1, 3, H, W) in [0, 1].
        content: the subject of the painting, likewise.
        matte: where to compare, (1, 1, H, W) in [0, 1].
        style: (1, 3, h, w) in [0, 1].
        advance: called after each step.

    Returns:
        (1, 3, H, W) in [0, 1]
    """
    before, device = paint, next(network.parameters()).device
    paint, content, matte, style = (plane.to(device) for plane in (paint, content, matte, style))
    with torch.no_grad():
        wanted = {layer: gram(features) for layer, features in network(style).items()}
        target = network(content)[network.layers[-1]]
    levels = [level.requires_grad_(True) for level in split(paint, LEVELS, _halved)]
    optimizer = torch.optim.Adam(levels, lr=RATE, betas=(0.9, 0.99))
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - (1 - LAST_RATE) * step / STEPS)
        optimizer.zero_grad()
        picture = joined(levels)
        seen = network(picture)
        inside = {
            layer: (F.adaptive_max_pool2d(matte, features.shape[2:]) > 0.3).float()
            for layer, features in seen.items()
        }
        loss = RANGE * (F.relu(picture - 1) + F.relu(-picture)).square().mean()
        for layer, features in seen.items():
            loss = loss + gram_distance(gram(features, inside[layer]), wanted[layer])
        there = inside[network.layers[-1]]
        gap = (seen[network.layers[-1]] - target).square() * there
        loss = loss + CONTENT * gap.sum() / (target.square() * there).sum().clamp_min(1e-6)
        loss.backward()
        optimizer.step()
        advance(1)
    done = joined([level.detach() for level in levels])
    return (before + luma(done - paint).cpu()).clamp(0, 1)


def _halved(pictures: Tensor) -> Tensor:
    return F.avg_pool2d(pictures, 2, ceil_mode=True)
