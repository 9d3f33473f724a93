"""Style transfer with statistics that are gathered once and then frozen.

With frozen statistics a frame's result depends on that frame alone: statistics cannot flicker,
and any machine can render any frame.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.style.grid import off_grid
from vidstyle.style.network import STRIDE, WINDOW, StyleNetwork
from vidstyle.style.transform import AffineMap, Statistics, transport

#: Levels of the pyramid, coarse to fine: large strokes are laid first, small ones over them.
SCALES = (2, 1)

#: What boxes are aligned to, so that the network's grid stays put while a box moves.
GRID = STRIDE * max(SCALES)

#: Pixels around a box that the network must see, so that the box's edge does not show inside it.
#: The receptive field is wider, but its outer part weighs next to nothing (see the tests).
MARGIN = 48

#: How often :meth:`Stylizer.transfer` goes through its samples.
PASSES = 2 * len(SCALES)

#: Pixels in one network call, which takes at least one picture. On a CPU small calls stay in the
#: cache and keep the heap from growing; on CUDA the bound is memory.
CALL_PIXELS = {"cpu": 2**16, "cuda": 2**23}

#: A picture (1, 3, H, W) in [0, 1], and where in it the object is, (1, 1, H, W) in [0, 1].
Sample = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Style:
    """A style's statistics at one level."""

    texture: Statistics
    bands: Statistics


@dataclass(frozen=True)
class Transfer:
    """The frozen maps from one object in one shot to one style, at one level."""

    scale: int
    texture: AffineMap
    bands: AffineMap


class Stylizer:
    """A style network on its device: gathers statistics, freezes transfers, applies them."""

    def __init__(self, network: StyleNetwork, device: torch.device, ridge: float) -> None:
        """
        Args:
            ridge: see :func:`~vidstyle.style.transform.optimal_map`; part of the model.
        """
        self.network = network.to(device).eval().requires_grad_(False)
        self.device = device
        self.ridge = ridge

    @torch.inference_mode()
    def style(self, picture: Tensor) -> tuple[Style, ...]:
        """The statistics of a style picture, (1, 3, H, W) in [0, 1], for each level."""
        styles = []
        for scale in SCALES:
            plate = _shrunk(self._ready(picture), scale)
            bands = self.network.lapped(plate)
            styles.append(Style(Statistics.gather(self._texture(plate)), Statistics.gather(bands)))
        return tuple(styles)

    @torch.inference_mode()
    def transfer(
        self, samples: Callable[[], Iterable[Sample]], styles: Sequence[Style]
    ) -> tuple[Transfer, ...]:
        """Freeze the maps from an object to a style, for each level.

        Args:
            samples: pictures of the object in its shot, at least one. Called ``PASSES`` times:
                what a step has to start from is measured after the steps before it.
            styles: see :meth:`style`.
        """
        done: list[Transfer] = []
        for scale, style in zip(SCALES, styles, strict=True):
            found = self._measure(samples, done, scale, self._texture)
            texture = transport(found, style.texture, self.ridge)
            found = self._measure(samples, done, scale, partial(self._painted, texture_map=texture))
            done.append(Transfer(scale, texture, transport(found, style.bands, self.ridge)))
        return tuple(done)

    def _measure(
        self,
        samples: Callable[[], Iterable[Sample]],
        done: Sequence[Transfer],
        scale: int,
        features: Callable[[Tensor], Tensor],
    ) -> Statistics:
        """Statistics of what ``features`` sees in the object at ``scale``, after some levels."""
        parts = []
        for picture, mask in samples():
            seen = features(_shrunk(self._through(self._ready(picture), done), scale))
            # As much of each block of the transform as lies inside the mask.
            blocks = F.avg_pool2d(_shrunk(self._ready(mask), scale), WINDOW, STRIDE, STRIDE)
            parts.append(Statistics.gather(seen, blocks))
        return sum(parts[1:], parts[0])

    @torch.inference_mode()
    def __call__(
        self, images: Tensor, transfers: Sequence[Transfer], strength: float = 1.0
    ) -> Tensor:
        """Restyle a batch.

        Args:
            images: (N, 3, H, W) float RGB in [0, 1], any H and W.
            strength: 0 returns the images, 1 the full style.

        Returns:
            (N, 3, H, W) float32 in [0, 1] on this stylizer's device.
        """
        height, width = images.shape[-2:]
        call = max(1, CALL_PIXELS[self.device.type] // (height * width))
        parts = [self._through(self._ready(part), transfers) for part in images.split(call)]
        styled = torch.cat(parts)[..., :height, :width]
        return torch.lerp(images.to(self.device), styled, strength)

    def _through(self, plates: Tensor, transfers: Sequence[Transfer]) -> Tensor:
        """Plates after some levels of the pyramid, (N, 3, H, W) in [0, 1]."""
        half = self.device.type == "cuda"
        for transfer in transfers:
            small = _shrunk(plates, transfer.scale)
            with torch.autocast(self.device.type, torch.float16, enabled=half):
                bands = transfer.bands(self._painted(small, transfer.texture))
            change = off_grid(self.network.lapped.inverse(bands.float()) - small)
            if transfer.scale > 1:
                change = F.interpolate(
                    change, scale_factor=transfer.scale, mode="bicubic", align_corners=False
                )
            plates = (plates + change).clamp(0, 1)
        return plates

    def _texture(self, plates: Tensor) -> Tensor:
        texture: Tensor = self.network.encoder(self.network.lapped(plates))
        return texture

    def _painted(self, plates: Tensor, texture_map: AffineMap) -> Tensor:
        """Bands of plates with the style's texture painted over."""
        bands = self.network.lapped(plates)
        texture = self.network.encoder(bands)
        return self.network.paint(bands, texture, texture_map(texture))

    def _ready(self, images: Tensor) -> Tensor:
        """On the device, padded right and below to whole steps of the grid, two at least, by
        repeating the border."""
        height, width = images.shape[-2:]
        right, below = (max(2 * GRID, -(-side // GRID) * GRID) - side for side in (width, height))
        return F.pad(images.to(self.device), (0, right, 0, below), mode="replicate")


def _shrunk(images: Tensor, scale: int) -> Tensor:
    return images if scale == 1 else F.avg_pool2d(images, scale)
