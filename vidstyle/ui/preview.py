"""One frame of a clip restyled, with a cache for the next preview."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
import torch

from vidstyle.live.few import Few, Found, find, freeze_over, mattes_of
from vidstyle.media.frame import Frame
from vidstyle.options import RenderOptions
from vidstyle.pipeline.analysis import read_style
from vidstyle.pipeline.layer import Layer
from vidstyle.pipeline.parts import Parts
from vidstyle.pipeline.preparation import layer_context
from vidstyle.segment.mattes.store import Mattes
from vidstyle.style.model import Frozen
from vidstyle.ui.models import kept_parts
from vidstyle.ui.selection import Image, Selection, Wish

#: Maximum height of a preview: what a CPU restyles in about a second.
ROWS = 480

#: Number of frames, mattes, styles and statistics cached per clip.
_KEPT = 8


@dataclass(frozen=True)
class Preview:
    """One frame: before, after, and the matte; (H, W, 3) RGB and (H, W)."""

    before: Image
    after: Image
    matte: Image

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.matte.shape[0], self.matte.shape[1]


class Previews:
    """Previews of one clip. Frames, mattes, styles and statistics are cached: changing strength,
    feather or ``preserve`` costs one network pass, and a new style no search for the object."""

    def __init__(self, frame: Callable[[int], Image]) -> None:
        """
        Args:
            frame: decodes one, (H, W, 3) RGB.
        """
        self._frame = frame
        self._plate = lru_cache(_KEPT)(self._read)
        self._found = lru_cache(_KEPT)(self._find)
        self._frozen = lru_cache(_KEPT)(self._freeze)
        self._style = lru_cache(_KEPT)(
            lambda path, size, scale, parts: read_style(str(path), size, parts.stylizer, scale)
        )

    def preview(
        self, index: int, wishes: Sequence[Wish], options: RenderOptions, rows: int | None
    ) -> Preview:
        """One frame restyled by itself: its own statistics, no temporal step.

        Args:
            rows: maximum height of the preview; None for the clip's own size. The object is
                always found at the clip's size.

        Raises:
            VidstyleError: as for a render.
            ValueError: an object was not pointed at.
        """
        parts = kept_parts(replace(options, temporal="off"))
        full, small = self._plate(index, None), self._plate(index, rows)
        feather = options.feather * small.size[0] / full.size[0]
        look = replace(options, feather=feather)
        plate = next(small.frames())
        canvas, seen = plate.image[None], np.zeros(small.size, np.uint8)
        for wish in wishes:
            mattes, transfer = self._frozen(
                index,
                rows,
                wish,
                options.style_scale,
                options.supersample,
                options.invert,
                parts,
            )
            seen = np.maximum(seen, mattes[0])
            if transfer is not None:
                layer = Layer(mattes, transfer, look, layer_context(parts))
                canvas = layer.render([plate], canvas)
        return Preview(plate.image.numpy(), canvas[0].numpy(), seen)

    def _read(self, index: int, rows: int | None) -> Few:
        if rows is not None:
            full = self._plate(index, None)
            return full if full.size[0] <= rows else full.scaled(rows)
        return Few([Frame(torch.from_numpy(self._frame(index)), 0, 0, Fraction(1))])

    def _find(self, index: int, chosen: Selection, invert: bool, parts: Parts) -> Found:
        return find(chosen.alone(index).spec(), self._plate(index, None), parts, invert=invert)

    def _freeze(
        self,
        index: int,
        rows: int | None,
        wish: Wish,
        scale: float,
        supersample: int | None,
        invert: bool,
        parts: Parts,
    ) -> tuple[Mattes, Frozen | None]:
        few = self._plate(index, rows)
        style = self._style(wish.styled_after, few.size, scale, parts)
        mattes = mattes_of(self._found(index, wish.object, invert, parts), few)
        return mattes, freeze_over(few, mattes, style, parts, supersample)
