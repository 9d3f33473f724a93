"""A deeper network paints what it painted before, and its new layers can learn."""

from dataclasses import replace

import pytest
import torch

from vidstyle.errors import UsageError
from vidstyle.style.micro import Architecture, MicroNetwork
from vidstyle.train.growth import grown

SIZES = Architecture("micro", 8, 6, 10, 12, (1, 0, 2, 1))


def paint(network: MicroNetwork) -> torch.Tensor:
    pictures = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(3))
    return network.decode(network.encode(pictures))


@pytest.mark.parametrize(
    "extra", [(2, 0, 0, 0), (0, 1, 0, 0), (0, 0, 3, 0), (0, 0, 0, 1), (1, 2, 1, 2)]
)
def test_paints_the_same(extra: tuple[int, int, int, int]) -> None:
    network = MicroNetwork(SIZES)
    deeper = grown(network, extra)
    depth = tuple(now + more for now, more in zip(SIZES.depth, extra, strict=True))
    assert deeper.architecture == replace(SIZES, depth=depth)
    assert deeper.reach == MicroNetwork(deeper.architecture).reach
    torch.testing.assert_close(paint(deeper), paint(network))
    assert network.architecture == SIZES


def test_new_layers_learn() -> None:
    deeper = grown(MicroNetwork(SIZES), (1, 1, 1, 1))
    paint(deeper).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in deeper.parameters())


def test_an_encoder_of_fixed_depth() -> None:
    network = MicroNetwork(replace(SIZES, encoder="mobilenet"))
    assert grown(network, (0, 0, 1, 0)).architecture.depth == (1, 0, 3, 1)
    with pytest.raises(UsageError, match="mobilenet's depth is fixed"):
        grown(network, (1, 0, 0, 0))
