"""Quality of a model: style distance in perceptual features, and SSIM to the plate."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from vidstyle.perceptual.network import PerceptualNetwork
from vidstyle.perceptual.statistics import gram, gram_distance
from vidstyle.style.model import Sample
from vidstyle.style.stylizer import Stylizer
from vidstyle.train.data import Pictures


@dataclass(frozen=True)
class Score:
    """Means over photographs and styles, at full strength.

    Attributes:
        before, after: style distance of the plate and of the result: relative squared difference
            of Gram matrices, averaged over the layers of the perceptual network.
        likeness: SSIM of the result to the plate (Wang 2004).
    """

    before: float
    after: float
    likeness: float


def score(
    stylizer: Stylizer, perceptual: PerceptualNetwork, contents: Pictures, styles: Pictures
) -> Score:
    """Score every photograph in every style. ``perceptual`` must be on the stylizer's device."""
    before, after, kept = [], [], []
    for style in units(styles):
        wanted = _grams(perceptual, style, stylizer.device)
        for plate in units(contents):
            result = restyled(stylizer, plate, style)
            before.append(_distance(_grams(perceptual, plate, stylizer.device), wanted))
            after.append(_distance(_grams(perceptual, result, stylizer.device), wanted))
            likeness = structural_similarity(
                plate[0].numpy(), result[0].numpy(), channel_axis=0, data_range=1.0
            )
            kept.append(likeness)
    return Score(float(np.mean(before)), float(np.mean(after)), float(np.mean(kept)))


def restyled(stylizer: Stylizer, plate: Tensor, style: Tensor) -> Tensor:
    """Restyle a plate; all pictures are (1, 3, H, W) in [0, 1], on the CPU."""
    transfer = stylizer.transfer(_whole(plate), stylizer.style(style))
    return stylizer(plate, transfer).cpu()


def units(pictures: Pictures, limit: int | None = None) -> Iterator[Tensor]:
    """Pictures as (1, 3, H, W) in [0, 1], the first ``limit`` of them."""
    for index in islice(range(len(pictures)), limit):
        yield pictures[index][None, :3].float() / 255


def _whole(plate: Tensor) -> Callable[[], list[Sample]]:
    """The whole picture as the only sample of its object."""
    return lambda: [(plate, torch.ones_like(plate[:, :1]))]


@torch.inference_mode()
def _grams(
    perceptual: PerceptualNetwork, picture: Tensor, device: torch.device
) -> dict[str, Tensor]:
    return {layer: gram(seen) for layer, seen in perceptual(picture.to(device)).items()}


def _distance(seen: dict[str, Tensor], wanted: dict[str, Tensor]) -> float:
    terms = [gram_distance(seen[layer], wanted[layer]) for layer in wanted]
    return float(torch.stack(terms).mean())
