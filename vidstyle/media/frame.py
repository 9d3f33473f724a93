"""One frame of a clip, and the box that a stage works in."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import torch
from torch import Tensor


@dataclass(frozen=True)
class Frame:
    """One decoded picture and where it sits in time.

    Attributes:
        image: RGB code values (H, W, 3) on the CPU, full range, upright; ``uint8`` for 8-bit
            sources, ``uint16`` (full scale 65535) for deeper ones, ``float32`` as stored for
            floating-point sources. Never modified in place.
        index: number in its clip, from 0.
        pts: presentation time in units of ``time_base``.
        time_base: seconds per unit of ``pts``.
        alpha: (H, W) of the image's dtype, as stored in the source; None if it has none.
        premultiplied: whether colours are already multiplied by ``alpha``, as in an element.
        origin: the picture file that the frame was read from, if any. A writer takes from it what
            frames do not carry: other channels, windows, metadata.
    """

    image: Tensor
    index: int
    pts: int
    time_base: Fraction
    alpha: Tensor | None = None
    premultiplied: bool = False
    origin: Path | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.image.shape[0], self.image.shape[1]

    @property
    def opacity(self) -> Tensor | None:
        """Alpha (H, W) as float32 in [0, 1]; None if there is none."""
        if self.alpha is None:
            return None
        return (self.alpha.float() / full_scale(self.alpha.dtype)).nan_to_num().clamp(0, 1)

    @property
    def coverage(self) -> Tensor | None:
        """The :attr:`opacity` that colours are multiplied by; None if they are not. Floating-point
        pictures with alpha count as multiplied, as the OpenEXR specification wants them."""
        multiplied = self.premultiplied or self.image.dtype.is_floating_point
        return self.opacity if multiplied else None

    @property
    def time(self) -> Fraction:
        """Presentation time in seconds."""
        return self.pts * self.time_base


def full_scale(dtype: torch.dtype) -> int:
    """The code value of white for a frame's dtype: 255, 65535, or 1 for floats."""
    return 1 if dtype.is_floating_point else torch.iinfo(dtype).max


def unit_range(image: Tensor) -> Tensor:
    """Code values (..., H, W, 3) as float32 in [0, 1], channels first: (..., 3, H, W)."""
    return (image.float() / full_scale(image.dtype)).movedim(-1, -3)


def luma(images: Tensor) -> Tensor:
    """Luma of RGB (N, 3, H, W) with BT.709 weights: (N, 1, H, W)."""
    weights = images.new_tensor((0.2126, 0.7152, 0.0722))[:, None, None]
    return (images * weights).sum(dim=1, keepdim=True)


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels, half open: columns ``x0 ≤ x < x1``, rows ``y0 ≤ y < y1``."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        return self.y1 - self.y0

    @property
    def area(self) -> int:
        return self.width * self.height

    @property
    def rows(self) -> slice:
        return slice(self.y0, self.y1)

    @property
    def columns(self) -> slice:
        return slice(self.x0, self.x1)

    def __or__(self, other: "Box") -> "Box":
        """The smallest box that contains both."""
        return Box(
            min(self.x0, other.x0),
            min(self.y0, other.y0),
            max(self.x1, other.x1),
            max(self.y1, other.y1),
        )

    def __and__(self, other: "Box") -> "Box":
        """The intersection; of zero area if they do not overlap."""
        x0, y0 = max(self.x0, other.x0), max(self.y0, other.y0)
        return Box(x0, y0, max(x0, min(self.x1, other.x1)), max(y0, min(self.y1, other.y1)))

    def padded(self, margin: int, stride: int, size: tuple[int, int]) -> "Box":
        """Grown by ``margin``, then to multiples of ``stride`` in frame coordinates, so that the
        network's grid stays put while the box moves; clipped to ``size`` (H, W).

        Only far edges, where clipped to the frame, may be off the stride.
        """
        height, width = size
        return Box(
            max(0, (self.x0 - margin) // stride * stride),
            max(0, (self.y0 - margin) // stride * stride),
            min(width, -(-(self.x1 + margin) // stride) * stride),
            min(height, -(-(self.y1 + margin) // stride) * stride),
        )
