"""Relief: nearer to the style's texture, by light and dark alone."""

import skimage.data
import torch
import torch.nn.functional as F

from vidstyle.painter.polish import STEPS, polished
from vidstyle.perceptual.network import MicroPerceptual
from vidstyle.perceptual.statistics import gram, gram_distance


def test_a_painting_gets_the_styles_texture() -> None:
    torch.manual_seed(0)
    network = MicroPerceptual()
    style = torch.from_numpy(skimage.data.grass()[:96, :96]).float()[None, None] / 255
    style = style.expand(-1, 3, -1, -1)
    flat = torch.full((1, 3, 96, 96), 0.5) + 0.05 * torch.randn(1, 1, 96, 96)
    flat[:, 0] += 0.1
    steps: list[int] = []
    with torch.no_grad():  # as a host may have it
        done = polished(flat, flat, torch.ones(1, 1, 96, 96), style, network, steps.append)
        layer = network.layers[0]
        before, after, wanted = (gram(network(p)[layer]) for p in (flat, done, style))
    assert sum(steps) == STEPS
    assert gram_distance(after, wanted) < 0.9 * gram_distance(before, wanted)
    # A change of light is the same in all channels.
    change = done - flat
    assert torch.allclose(change[:, 0], change[:, 1], atol=1e-5)
    assert F.mse_loss(done, flat) > 1e-6
