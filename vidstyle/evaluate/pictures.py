"""What the eye is shown: where a clip flickers, a row of pixels over time, and stills.

All of them hold as much for a film as for a second of it.
"""

import base64
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.evaluate.footage import Instant

Picture = NDArray[np.uint8]

#: Frames that a slice shows: a flicker must not be thinned out, and more would not fit a screen.
SLICE_FRAMES = 480

_SLICE_HEIGHT = 240  # pixels that few frames are drawn out to

#: Pixels that a picture of the report is wide at most.
WIDTH = 720


class FlickerMaps:
    """Mean squared warped difference at each pixel, over the pairs that show it."""

    def __init__(self, clips: int, size: tuple[int, int]) -> None:
        self._sum = torch.zeros(clips, *size, dtype=torch.float64)
        self._count = torch.zeros(size, dtype=torch.float64)

    def add(self, difference: Tensor, mask: Tensor) -> None:
        """A pair of every clip: (clips, 1, H, W) and (1, 1, H, W)."""
        self._sum += (difference * mask)[:, 0]
        self._count += mask[0, 0]

    def means(self) -> Tensor:
        """(clips, H, W); NaN where no pair shows the pixel."""
        return self._sum / self._count

    def pictures(self) -> list[Picture]:
        """Heat maps on one scale for all clips, (H, W, 3) RGB; black is steady, white the worst.

        Brightness goes with the root, as a difference of levels does, and the brightest hundredth
        is cut off: one wrong pixel must not darken the rest. What no pair shows is grey-blue.
        """
        roots = self.means().sqrt().numpy()
        seen = np.isfinite(roots)
        top = float(np.quantile(roots[seen], 0.99)) if seen.any() else 0.0
        maps = []
        for root, known in zip(roots, seen, strict=True):
            codes = np.nan_to_num(root / max(top, 1e-6)).clip(0, 1) * 255
            heat = cv2.applyColorMap(codes.round().astype(np.uint8), cv2.COLORMAP_INFERNO)
            heat[~known] = (90, 70, 60)
            maps.append(np.asarray(heat[..., ::-1], np.uint8))
        return maps


class Slices:
    """One row of pixels over time: x to the right, frames downwards."""

    def __init__(self, row: int) -> None:
        self.row = row
        self._rows: list[list[Picture]] = []

    def add(self, instant: Instant) -> None:
        """The next frame of every clip."""
        if len(self._rows) < SLICE_FRAMES:
            self._rows.append([eight_bit(picture[self.row]) for picture in instant.pictures])

    def pictures(self) -> list[Picture]:
        """One a clip, (n · frames, W, 3) RGB: n is 1, or more where few frames would be too flat
        a picture."""
        repeats = max(1, _SLICE_HEIGHT // len(self._rows))
        return [np.stack(rows).repeat(repeats, 0) for rows in zip(*self._rows, strict=True)]


@dataclass
class Stills:
    """The first frame, and the pair of frames in which the results flicker most.

    Attributes:
        first, worst: captions and pictures, (H, W, 3) RGB, one a clip; of the pair both frames,
            and where they differ.
    """

    first: tuple[str, list[Picture]] | None = None
    worst: list[tuple[str, list[Picture]]] | None = None
    _most: float = -1.0

    def begin(self, instant: Instant) -> None:
        """The first frame."""
        self.first = (f"frame {instant.index}", _whole(instant))

    def add(
        self, before: Instant, now: Instant, error: float, difference: Tensor, mask: Tensor
    ) -> None:
        """A pair, the mean warping error of the results (NaN for none), and where it comes from:
        see :meth:`FlickerMaps.add`."""
        if not error > self._most:
            return
        self._most = error
        where = FlickerMaps(len(difference), (difference.shape[-2], difference.shape[-1]))
        where.add(difference, mask)
        self.worst = [
            *((f"frame {each.index}", _whole(each)) for each in (before, now)),
            ("the difference of the two along the motion", list(map(bounded, where.pictures()))),
        ]


def _whole(instant: Instant) -> list[Picture]:
    return [bounded(eight_bit(picture)) for picture in instant.pictures]


def eight_bit(picture: Tensor) -> Picture:
    """Code values of any depth, as 8 bits."""
    if picture.dtype == torch.uint8:
        return np.asarray(picture.numpy(), np.uint8).copy()
    return np.asarray((picture.float() / 257).round().byte().numpy(), np.uint8)


def bounded(picture: Picture) -> Picture:
    """At most :data:`WIDTH` pixels wide."""
    height, width = picture.shape[:2]
    if width <= WIDTH:
        return picture
    size = (WIDTH, max(1, round(height * WIDTH / width)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def data_url(picture: Picture, *, lossless: bool = True) -> str:
    """A picture (H, W, 3) RGB as the address of itself, for a page that needs no other file."""
    kind, options = ("png", []) if lossless else ("jpeg", [cv2.IMWRITE_JPEG_QUALITY, 92])
    encoded = cv2.imencode(f".{kind}", picture[..., ::-1], options)[1]
    return f"data:image/{kind};base64,{base64.b64encode(encoded.tobytes()).decode()}"


def middle_row(matte: NDArray[np.uint8] | None, height: int) -> int:
    """The row through the middle of the object, or of the frame."""
    rows = np.flatnonzero(matte.max(axis=1) >= 128).tolist() if matte is not None else []
    return rows[len(rows) // 2] if rows else height // 2
