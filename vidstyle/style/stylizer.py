"""Style transfer with statistics that are gathered once per shot and then frozen.

With frozen statistics a frame's result depends only on that frame: statistics cannot flicker, and
any machine can render any frame.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from pathlib import Path
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.media.frame import Box
from vidstyle.runtime.workers import WorkerPool
from vidstyle.style.finish import RIDGE, Finish, Parts, in_bands, in_scales, moved, rescaled
from vidstyle.style.lapped import LappedTransform
from vidstyle.style.model import Sample
from vidstyle.style.network import GRID, StyleNetwork
from vidstyle.style.painting import cells_inside, painted
from vidstyle.style.pyramid import LEVELS
from vidstyle.style.tiles import tiles, with_halo
from vidstyle.style.tone import Histogram, Tone, fitting_tone
from vidstyle.style.transform import AffineMap, Statistics, transport

#: How often :meth:`Stylizer.transfer` iterates over its samples: it keeps them.
PASSES = 1

#: Pixels per network call, which takes at least one picture. On a CPU small calls stay in the cache
#: and keep the heap from growing; on CUDA memory is the limit.
CALL_PIXELS = {"cpu": 2**16, "cuda": 2**23, "mps": 2**21}

#: Pixels per tile, regardless of available memory: on a CPU, what larger tiles save in halos they
#: lose to fresh memory, which the system must clear.
TILE_PIXELS = {"cpu": 2**20, "cuda": 2**31, "mps": 2**22}

#: Number of samples painted to measure the output. Of a shot's windows that is one in each picture:
#: on DAVIS clips the result differs by a level on average from one measured on all of them.
PAINTED = 16

#: Applies a frozen map to plates in place of the network: takes plates (N, 3, H, W) in [0, 1] on
#: the stylizer's device, H and W multiples of ``GRID`` and at least two of them; returns results
#: on that device, not clamped.
Through = Callable[[Tensor, AffineMap], Tensor]

_PARTS = ("matrix", "source", "target")

Sums = TypeVar("Sums", Statistics, Histogram)


@dataclass(frozen=True)
class Style:
    """Statistics of a style picture: of its features, of its levels and bands (see
    :mod:`vidstyle.style.finish`), and of its tones."""

    features: Statistics
    scales: Sequence[Statistics]
    bands: Statistics
    tones: Histogram


@dataclass(frozen=True)
class Transfer:
    """The frozen transfer of one object in one shot to one style."""

    features: AffineMap
    finish: Finish


class Stylizer:
    """A style network on its device: gathers statistics, freezes transfers, applies them.

    The :class:`~vidstyle.style.model.StyleModel` of this package's own networks.
    """

    grid, passes = GRID, PASSES

    def __init__(
        self,
        network: StyleNetwork,
        device: torch.device,
        ridge: float,
        backend: Through | None = None,
        memory: int | None = None,
        workers: WorkerPool | None = None,
        bfloat16: bool = False,
    ) -> None:
        """
        Args:
            ridge: see :func:`~vidstyle.style.transform.optimal_map`; part of the model.
            backend: applies frozen maps; None for the network itself, which always gathers the
                statistics.
            memory: bytes that the network may use at once: larger pictures are processed in tiles.
                None for no limit but :data:`TILE_PIXELS`.
            workers: restyles pictures and tiles in parallel, as many as fit in ``memory``; None for
                one at a time.
            bfloat16: multiply in bfloat16; otherwise in float16 on CUDA and float32 elsewhere.
        """
        # Tensor cores, and similar units in CPUs, need channels last.
        matrices = device.type == "cuda" or bfloat16
        order = torch.channels_last if matrices else network.order
        self.network = network.to(device).to(memory_format=order).eval().requires_grad_(False)
        self.device = device
        self.ridge = ridge
        self.margin = network.reach
        self._apply = backend or self._through
        self._pixels = sys.maxsize if memory is None else memory // network.pixel_bytes
        self._tile = min(self._pixels, TILE_PIXELS[device.type])
        self._workers = workers or WorkerPool()
        self._lapped = LappedTransform().to(device)
        self._bfloat16 = bfloat16

    def read_style(self, path: Path, picture: Callable[[], Tensor]) -> Style:  # noqa: ARG002
        """See :meth:`style`."""
        return self.style(picture())

    @torch.inference_mode()
    def style(self, picture: Tensor) -> Style:
        """Measure a style picture, (1, 3, H, W) in [0, 1]."""
        with self._workers:
            sample = picture, torch.ones_like(picture[:, :1])
            scales, bands = self._scales([sample]), self._bands([sample])
            return Style(self._measure([sample]), scales, bands, Histogram.of(picture))

    @torch.inference_mode()
    def transfer(self, samples: Callable[[], Iterable[Sample]], style: Style) -> Transfer:
        """Freeze the map from an object to a style.

        Args:
            samples: pictures of the object in its shot, at least one.
            style: see :meth:`style`.
        """
        pictures = list(samples())
        count = min(PAINTED, len(pictures))
        few = [pictures[number * len(pictures) // count] for number in range(count)]
        with self._workers:
            features = self._map(self._measure(pictures), style.features, self.ridge)
            plain = self._each(few, partial(self._through, features=features))
            levels = zip(self._scales(plain), style.scales, strict=True)
            scales = [self._map(*level, RIDGE) for level in levels]
            plain = self._each(plain, partial(rescaled, scales=scales))
            bands = self._map(self._bands(plain), style.bands, RIDGE)
            plain = self._each(plain, partial(moved, bands=bands, lapped=self._lapped))
        tones, plates = (_total(Histogram.of(*sample) for sample in each) for each in (plain, few))
        return Transfer(features, Finish(scales, bands, fitting_tone(tones, style.tones, plates)))

    def save(self, transfer: Transfer) -> dict[str, Tensor]:
        """See :class:`~vidstyle.style.model.StyleModel`."""
        finish, tone = transfer.finish, transfer.finish.tone
        levels = {f"scales.{level}": scale for level, scale in enumerate(finish.scales)}
        maps = {"features": transfer.features, **levels, "bands": finish.bands}
        return {
            "tone": torch.tensor([tone.shadows, tone.highlights], dtype=torch.float64),
            **{
                f"{name}.{part}": getattr(affine, part)
                for name, affine in maps.items()
                for part in _PARTS
            },
        }

    def load(self, tensors: Mapping[str, Tensor]) -> Transfer:
        """See :class:`~vidstyle.style.model.StyleModel`."""

        def affine(name: str) -> AffineMap:
            return AffineMap(*(tensors[f"{name}.{part}"] for part in _PARTS)).to(self.device)

        scales = [affine(f"scales.{level}") for level in range(LEVELS)]
        tone = Tone(*tensors["tone"].tolist())
        return Transfer(affine("features"), Finish(scales, affine("bands"), tone))

    @torch.inference_mode()
    def __call__(self, images: Tensor, transfer: Transfer, strength: float = 1.0) -> Tensor:
        """Restyle a batch.

        Args:
            images: (N, 3, H, W) float RGB in [0, 1], any H and W.
            strength: 0 returns the images, 1 the full style.

        Returns:
            (N, 3, H, W) float32 in [0, 1] on this stylizer's device.
        """
        styled = self._in_tiles(
            images,
            lambda plates: transfer.finish(
                self._apply(plates, transfer.features).float(), self._lapped
            ),
        )
        return torch.lerp(images.to(self.device), styled, strength, out=styled)

    def _map(self, content: Statistics, style: Statistics, ridge: float) -> AffineMap:
        return transport(content, style, ridge).to(self.device)

    def _measure(self, samples: Sequence[Sample]) -> Statistics:
        """Statistics of the samples' features, weighted by their mattes."""

        @torch.inference_mode()
        def gather(part: tuple[Tensor, Tensor]) -> Statistics:
            plates, inside = part
            return Statistics.gather(self._encoded(plates), inside)

        parts = (part for sample in samples for part in self._by_tiles(*sample))
        return _total(self._workers.each(gather, parts, self._at_once(self._tile)))

    def _scales(self, samples: Sequence[Sample]) -> list[Statistics]:
        """Statistics of each level of the samples' pyramids, weighted by their mattes."""
        return self._of_pictures(samples, in_scales)

    def _bands(self, samples: Sequence[Sample]) -> Statistics:
        """Statistics of the samples' bands, weighted by their mattes."""
        (bands,) = self._of_pictures(samples, partial(in_bands, lapped=self._lapped))
        return bands

    def _of_pictures(
        self, samples: Sequence[Sample], split: Callable[[Tensor, Tensor], Parts]
    ) -> list[Statistics]:
        """Statistics of each part that pictures are split into."""

        @torch.inference_mode()
        def gather(part: Sample) -> list[Statistics]:
            picture, inside = (self._ready(each) for each in part)
            return [Statistics.gather(*each) for each in split(picture, inside)]

        # A large style picture's bands would not fit in memory at once.
        parts = (
            (picture[..., tile.rows, tile.columns], inside[..., tile.rows, tile.columns])
            for picture, inside in samples
            for tile in tiles((picture.shape[-2], picture.shape[-1]), self._tile, 0)
        )
        found = self._workers.each(gather, parts, self._at_once(self._tile))
        return [_total(each) for each in zip(*found, strict=True)]

    def _by_tiles(self, picture: Tensor, mask: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """A picture, (1, 3, H, W), tile by tile, with the weight of each cell of a tile: 0 in its
        halo."""
        size = (picture.shape[-2], picture.shape[-1])
        for tile in tiles(size, self._tile, self.margin):
            halo = with_halo(tile, size, self.margin)
            plates = self._ready(picture[..., halo.rows, halo.columns])
            # Padding is not part of the object.
            inside = torch.zeros_like(plates[:, :1])
            inside[..., : halo.height, : halo.width] = mask[..., halo.rows, halo.columns]
            cells = cells_inside(inside)
            own = torch.zeros_like(cells)
            own[
                ...,
                (tile.y0 - halo.y0) // GRID : -(-(tile.y1 - halo.y0) // GRID),
                (tile.x0 - halo.x0) // GRID : -(-(tile.x1 - halo.x0) // GRID),
            ] = 1
            yield plates, cells * own

    def _each(self, samples: Sequence[Sample], restyle: Callable[[Tensor], Tensor]) -> list[Sample]:
        """Samples with their pictures restyled."""
        return [(self._in_tiles(picture, restyle), inside) for picture, inside in samples]

    def _in_tiles(self, images: Tensor, restyle: Callable[[Tensor], Tensor]) -> Tensor:
        """(N, 3, H, W) through the network, in calls of suitable size."""
        height, width = size = (images.shape[-2], images.shape[-1])
        call = max(1, min(CALL_PIXELS[self.device.type], self._pixels) // (height * width))
        styled = torch.empty(images.shape, device=self.device)

        @torch.inference_mode()
        def fill(place: tuple[Tensor, Tensor, Box]) -> None:
            part, result, tile = place
            halo = with_halo(tile, size, self.margin)
            seen = restyle(self._ready(part[..., halo.rows, halo.columns]))
            result[..., tile.rows, tile.columns] = seen[
                ..., tile.y0 - halo.y0 : tile.y1 - halo.y0, tile.x0 - halo.x0 : tile.x1 - halo.x0
            ]

        parts = zip(images.split(call), styled.split(call), strict=True)
        boxes = tiles(size, self._tile, self.margin)
        largest = max(with_halo(tile, size, self.margin).area for tile in boxes)
        places = [(*part, tile) for part in parts for tile in boxes]
        # A single call may use every thread for its operations.
        with self._workers if len(places) > 1 else nullcontext():
            self._workers.each(fill, places, self._at_once(call * largest))
        return styled

    def _at_once(self, pixels: int) -> int:
        """How many calls of this many pixels fit in memory."""
        return max(1, self._pixels // pixels)

    def _encoded(self, plates: Tensor) -> Tensor:
        with self._autocast():
            return self.network.encode(plates).float()

    def _through(self, plates: Tensor, features: AffineMap) -> Tensor:
        with self._autocast():
            return painted(self.network, plates, features)

    def _autocast(self) -> torch.autocast:
        kind = self.device.type
        half = torch.bfloat16 if self._bfloat16 else torch.float16
        return torch.autocast(kind, half, enabled=self._bfloat16 or kind == "cuda")

    def _ready(self, images: Tensor) -> Tensor:
        """On the device, with replicated padding at the right and bottom to a multiple of the grid,
        at least two cells."""
        height, width = images.shape[-2:]
        right, below = (max(2 * GRID, -(-side // GRID) * GRID) - side for side in (width, height))
        return F.pad(images.to(self.device), (0, right, 0, below), mode="replicate")


def _total(parts: Iterable[Sums]) -> Sums:
    return reduce(add, parts)
