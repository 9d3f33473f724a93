"""Style transfer with statistics that are gathered once and then frozen.

With frozen statistics a frame's result depends on that frame alone: statistics cannot flicker,
and any machine can render any frame.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.crew import Crew
from vidstyle.frame import Box
from vidstyle.style.model import Sample
from vidstyle.style.network import StyleNetwork
from vidstyle.style.pyramid import (
    GRID,
    SCALES,
    Seen,
    Transfer,
    blocks_inside,
    painted,
    see,
    shrunk,
    through,
)
from vidstyle.style.tiles import tiles, with_halo
from vidstyle.style.transform import Statistics, transport

#: Pixels around a box that the network must see, so that the box's edge does not show inside it.
#: The receptive field is wider, but its outer part weighs next to nothing (see the tests).
MARGIN = 48

#: How often :meth:`Stylizer.transfer` goes through its samples: it keeps them.
PASSES = 1

#: Pixels in one network call, which takes at least one picture. On a CPU small calls stay in the
#: cache and keep the heap from growing; on CUDA the bound is memory.
CALL_PIXELS = {"cpu": 2**16, "cuda": 2**23}

#: Pixels in a tile, whatever memory there is: what larger ones save in halos they lose on a CPU to
#: fresh memory, which the system must clear.
TILE_PIXELS = {"cpu": 2**21, "cuda": 2**31}

#: What the network takes at its peak for a pixel, in bytes of float32, rounded up.
PIXEL_BYTES = 512

#: What takes plates through the frozen maps, in place of the network as it is: plates (N, 3, H, W)
#: in [0, 1] on the stylizer's device, H and W multiples of ``GRID``, two at least; back on it.
Through = Callable[[Tensor, tuple[Transfer, ...]], Tensor]


@dataclass(frozen=True)
class Style:
    """A style's statistics at one level."""

    texture: Statistics
    bands: Statistics


class Stylizer:
    """A style network on its device: gathers statistics, freezes transfers, applies them.

    The :class:`~vidstyle.style.model.StyleModel` of a model's folder.
    """

    margin, grid, passes = MARGIN, GRID, PASSES

    def __init__(
        self,
        network: StyleNetwork,
        device: torch.device,
        ridge: float,
        backend: Through | None = None,
        memory: int | None = None,
        crew: Crew | None = None,
    ) -> None:
        """
        Args:
            ridge: see :func:`~vidstyle.style.transform.optimal_map`; part of the model.
            backend: applies frozen maps; None for the network itself, which always gathers the
                statistics.
            memory: bytes that the network may take at once: larger pictures go through it in
                tiles. None for no bound but :data:`TILE_PIXELS`.
            crew: restyles pictures and tiles side by side, as many as ``memory`` holds; None for
                one after the other.
        """
        # Tensor cores take channels last; NNPACK takes them first.
        order = torch.channels_last if device.type == "cuda" else torch.contiguous_format
        self.network = network.to(device).to(memory_format=order).eval().requires_grad_(False)
        self.device = device
        self.ridge = ridge
        self._apply = backend or self._through
        self._pixels = sys.maxsize if memory is None else memory // PIXEL_BYTES
        self._tile = min(self._pixels, TILE_PIXELS[device.type])
        self._crew = crew or Crew()

    def read_style(self, path: Path, picture: Callable[[], Tensor]) -> tuple[Style, ...]:  # noqa: ARG002
        """See :meth:`style`."""
        return self.style(picture())

    @torch.inference_mode()
    def style(self, picture: Tensor) -> tuple[Style, ...]:
        """The statistics of a style picture, (1, 3, H, W) in [0, 1], for each level."""

        @torch.inference_mode()
        def gather(scale: int) -> Style:
            texture, bands = zip(
                *(
                    (Statistics.gather(seen.texture, inside), Statistics.gather(seen.bands, inside))
                    for seen, inside in self._see_by_tiles(picture, None, scale)
                ),
                strict=True,
            )
            return Style(_total(texture), _total(bands))

        with self._crew:
            return tuple(self._crew.each(gather, SCALES))

    @torch.inference_mode()
    def transfer(
        self, samples: Callable[[], Iterable[Sample]], styles: Sequence[Style]
    ) -> tuple[Transfer, ...]:
        """Freeze the maps from an object to a style, for each level.

        Args:
            samples: pictures of the object in its shot, at least one.
            styles: see :meth:`style`.
        """
        pictures, done = list(samples()), []
        with self._crew:
            for scale, style in zip(SCALES, styles, strict=True):
                seen = self._see_all(pictures, scale)
                texture = transport(
                    self._measure(seen, lambda part: part.texture), style.texture, self.ridge
                )
                paint = partial(painted, self.network, texture_map=texture)
                bands = transport(self._measure(seen, paint), style.bands, self.ridge)
                done.append(Transfer(scale, texture, bands))
                # What a level has to start from is measured after the levels before it.
                if scale != SCALES[-1]:
                    onward = partial(self._through, transfers=(done[-1],))
                    pictures = [(self._in_tiles(plate, onward), mask) for plate, mask in pictures]
        return tuple(done)

    def _see_all(self, samples: Sequence[Sample], scale: int) -> list[list[tuple[Seen, Tensor]]]:
        """What each sample shows at ``scale``, by tiles: see :meth:`_see_by_tiles`."""

        @torch.inference_mode()
        def look(sample: Sample) -> list[tuple[Seen, Tensor]]:
            return list(self._see_by_tiles(*sample, scale))

        return self._crew.each(look, samples, self._at_once(self._tile))

    def _measure(
        self, seen: Sequence[Sequence[tuple[Seen, Tensor]]], features: Callable[[Seen], Tensor]
    ) -> Statistics:
        """Statistics of ``features`` of what was seen, as far as it counts."""

        @torch.inference_mode()
        def gather(parts: Sequence[tuple[Seen, Tensor]]) -> Statistics:
            return _total([Statistics.gather(features(part), inside) for part, inside in parts])

        return _total(self._crew.each(gather, seen, self._at_once(self._tile)))

    def _see_by_tiles(
        self, picture: Tensor, mask: Tensor | None, scale: int
    ) -> Iterator[tuple[Seen, Tensor]]:
        """What a picture, (1, 3, H, W), shows at ``scale``, tile by tile; and how far each block
        counts, (1, 1, h, w): by as much of it as lies where ``mask`` (1, 1, H, W) allows. Without a
        mask every block counts the same, those on the rim too."""
        size = (picture.shape[-2], picture.shape[-1])
        for tile in tiles(size, self._tile):
            halo = with_halo(tile, size)
            plate = self._ready(picture[..., halo.rows, halo.columns])
            # Each block counts for as much of it as lies in the tile: over all tiles, once.
            own = torch.zeros_like(picture[:, :1])
            own[..., tile.rows, tile.columns] = 1
            if mask is not None:
                own = own * mask
            inside = blocks_inside(self._ready(own[..., halo.rows, halo.columns]), scale)
            if mask is None:
                inside = inside / blocks_inside(torch.ones_like(plate[:, :1]), scale)
            yield see(self.network, shrunk(plate, scale)), inside

    @torch.inference_mode()
    def __call__(
        self, images: Tensor, transfers: tuple[Transfer, ...], strength: float = 1.0
    ) -> Tensor:
        """Restyle a batch.

        Args:
            images: (N, 3, H, W) float RGB in [0, 1], any H and W.
            strength: 0 returns the images, 1 the full style.

        Returns:
            (N, 3, H, W) float32 in [0, 1] on this stylizer's device.
        """
        styled = self._in_tiles(images, lambda plates: self._apply(plates, transfers))
        return torch.lerp(images.to(self.device), styled, strength, out=styled)

    def _in_tiles(self, images: Tensor, restyle: Callable[[Tensor], Tensor]) -> Tensor:
        """(N, 3, H, W) through the network, in calls as large as is good."""
        height, width = size = (images.shape[-2], images.shape[-1])
        call = max(1, min(CALL_PIXELS[self.device.type], self._pixels) // (height * width))
        styled = torch.empty(images.shape, device=self.device)

        @torch.inference_mode()
        def fill(place: tuple[Tensor, Tensor, Box]) -> None:
            part, result, tile = place
            halo = with_halo(tile, size)
            seen = restyle(self._ready(part[..., halo.rows, halo.columns]))
            result[..., tile.rows, tile.columns] = seen[
                ..., tile.y0 - halo.y0 : tile.y1 - halo.y0, tile.x0 - halo.x0 : tile.x1 - halo.x0
            ]

        parts = zip(images.split(call), styled.split(call), strict=True)
        boxes = tiles(size, self._tile)
        largest = max(with_halo(tile, size).area for tile in boxes)
        places = [(*part, tile) for part in parts for tile in boxes]
        # A single call has every thread for its operations.
        with self._crew if len(places) > 1 else nullcontext():
            self._crew.each(fill, places, self._at_once(call * largest))
        return styled

    def _at_once(self, pixels: int) -> int:
        """How many calls with so many pixels memory holds."""
        return max(1, self._pixels // pixels)

    def _through(self, plates: Tensor, transfers: tuple[Transfer, ...]) -> Tensor:
        half = self.device.type == "cuda"
        with torch.autocast(self.device.type, torch.float16, enabled=half):
            return through(self.network, plates, transfers)

    def _ready(self, images: Tensor) -> Tensor:
        """On the device, padded right and below to whole steps of the grid, two at least, by
        repeating the border."""
        height, width = images.shape[-2:]
        right, below = (max(2 * GRID, -(-side // GRID) * GRID) - side for side in (width, height))
        return F.pad(images.to(self.device), (0, right, 0, below), mode="replicate")


def _total(parts: Sequence[Statistics]) -> Statistics:
    return sum(parts[1:], parts[0])
