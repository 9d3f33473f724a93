"""Making a trained network deeper without changing what it paints."""

import copy
from dataclasses import replace

from torch import nn

from vidstyle.errors import UsageError
from vidstyle.style.micro import MicroNetwork
from vidstyle.style.residual import Residual


def grown(network: MicroNetwork, extra: tuple[int, int, int, int]) -> MicroNetwork:
    """A network with more residual convolutions, which begin as the identity, so that it gives the
    same pictures until it is trained (Chen et al., "Net2Net", ICLR 2016).

    Args:
        extra: number of them, in the order of ``Architecture.depth``; they come after those that
            are there.

    Raises:
        UsageError: the encoder has a fixed depth.
    """
    if not any(extra):
        return network
    sizes = network.architecture
    if sizes.encoder != "micro" and any(extra[:2]):
        raise UsageError(f"grow = {list(extra)}: {sizes.encoder}'s depth is fixed; use 0, 0 first")
    longer = copy.deepcopy(network)
    at = sizes.depth
    places = (
        (longer.encoder, "fine", 1 + at[0], sizes.fine),
        (longer.encoder, "coarse", at[1], sizes.coarse),
        (longer, "coarse", 1 + at[2], sizes.coarse),
        (longer, "fine", at[3], sizes.brush),
    )
    for (parent, name, end, channels), count in zip(places, extra, strict=True):
        if count:
            layers = list(getattr(parent, name))
            layers[end:end] = [_identity(channels) for _ in range(count)]
            setattr(parent, name, nn.Sequential(*layers))
    a, b, c, d = (now + more for now, more in zip(at, extra, strict=True))
    result = MicroNetwork(replace(sizes, depth=(a, b, c, d)))
    result.load_state_dict(longer.state_dict())
    return result


def _identity(channels: int) -> Residual:
    layer = Residual(channels)
    nn.init.zeros_(layer.conv.weight)
    if layer.conv.bias is not None:
        nn.init.zeros_(layer.conv.bias)
    return layer
