"""Distance of a picture from a style, in a perceptual network's features."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.errors import MediaError
from vidstyle.media.colour_management import open_seen
from vidstyle.media.frame import unit_range
from vidstyle.perceptual.network import PerceptualNetwork
from vidstyle.perceptual.receptive import eroded
from vidstyle.perceptual.statistics import gram, gram_distance, moment_distance, moments
from vidstyle.style.borders import without_border

#: VGG's layers; other networks have their own.
LAYERS = ("relu1_1", "relu2_1", "relu3_1")

#: Largest short side, in pixels, at which style is compared. The features of a UHD frame take
#: 4 GiB, and strokes scale with the frame, not with its pixels.
SIDE = 540

_STRIDE = 4  # sides are cropped to multiples of this at the right and bottom

MEASURES = ("gram", "mean_std")


class StyleDistance:
    """Distance to one style: relative squared differences of Gram matrices (``gram``), and of
    means and deviations (``mean_std``), each averaged over the network's layers. 0 is the style
    itself."""

    def __init__(
        self, teacher: PerceptualNetwork, style: str, size: tuple[int, int], device: torch.device
    ) -> None:
        """
        Args:
            style: a picture file; a border around the painting is cropped.
            size: (H, W) of the pictures. A larger style is scaled to their shorter side, as a
                render does: a painting seen from farther off has finer strokes.

        Raises:
            MediaError: the file cannot be read.
        """
        self.name = teacher.name
        self._teacher, self._device = teacher.to(device), device
        picture = next(iter(open_seen(style).frames(0, 1)), None)
        if picture is None:
            raise MediaError(f"--style {style}: no picture in it; give another")
        painting = _bounded(without_border(unit_range(picture.image), style)[None], min(size))
        features = self._see(painting)
        self._grams = {layer: gram(seen) for layer, seen in features.items()}
        self._moments = {layer: moments(seen) for layer, seen in features.items()}

    def __call__(self, image: Tensor, regions: dict[str, Tensor]) -> dict[str, dict[str, float]]:
        """
        Args:
            image: (1, 3, H, W) in [0, 1].
            regions: masks (1, 1, H, W). Each is eroded by the network's receptive fields, so that
                nothing beyond it counts.

        Returns:
            For each of :data:`MEASURES`, the distance of each region; NaN for an empty region.
        """
        features = self._see(image)
        distances = {name: self._distances(features, mask) for name, mask in regions.items()}
        return {
            measure: {region: both[number] for region, both in distances.items()}
            for number, measure in enumerate(MEASURES)
        }

    def _distances(self, features: dict[str, Tensor], mask: Tensor) -> tuple[float, float]:
        if not mask.any():
            return float("nan"), float("nan")
        mask = _bounded(mask, SIDE).to(self._device)
        grams, spreads = [], []
        for layer, seen in features.items():
            height, width = seen.shape[-2:]
            cells = eroded(mask, self._teacher.fields[layer], (height, width))
            grams.append(gram_distance(gram(seen, cells), self._grams[layer]))
            spreads.append(moment_distance(moments(seen, cells), self._moments[layer]))
        return torch.stack(grams).mean().item(), torch.stack(spreads).mean().item()

    @torch.inference_mode()
    def _see(self, image: Tensor) -> dict[str, Tensor]:
        seen: dict[str, Tensor] = self._teacher(_bounded(image, SIDE).to(self._device))
        return seen


def _bounded(image: Tensor, side: int) -> Tensor:
    """Downscaled to at most ``side`` pixels on the short side, cropped to whole cells."""
    scale = side / min(image.shape[-2:])
    if scale < 1:
        size = [round(side * scale) for side in image.shape[-2:]]
        image = F.interpolate(image, size, mode="bilinear", align_corners=False, antialias=True)
    height, width = (side - side % _STRIDE for side in image.shape[-2:])
    return image[..., :height, :width]
