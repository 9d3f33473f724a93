"""Pictures for reports: flicker maps, a row of pixels over time, and stills.

Their memory does not depend on the length of the clips.
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

#: Frames in a slice: skipping frames would hide flicker, and more would not fit on a screen.
SLICE_FRAMES = 480

_SLICE_HEIGHT = 240  # pixels that slices of few frames are stretched to, about

#: Largest width of a picture in the report, in pixels.
WIDTH = 720


class FlickerMaps:
    """Mean squared warped difference at each pixel, over the pairs where it is valid."""

    def __init__(self, clips: int, size: tuple[int, int]) -> None:
        self._sum = torch.zeros(clips, *size, dtype=torch.float64)
        self._count = torch.zeros(size, dtype=torch.float64)

    def add(self, difference: Tensor, mask: Tensor) -> None:
        """Add one pair of every clip: (clips, 1, H, W) and (1, 1, H, W)."""
        self._sum += (difference * mask)[:, 0]
        self._count += mask[0, 0]

    def means(self) -> Tensor:
        """(clips, H, W); NaN where a pixel is valid in no pair."""
        return self._sum / self._count

    def pictures(self) -> list[Picture]:
        """Heat maps on one scale for all clips, (H, W, 3) RGB; black is steady, pale yellow worst.

        Brightness follows the root, as a difference of levels does, clipped at the 99th percentile
        so that outliers do not darken the rest. Pixels without valid pairs are grey-blue.
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
    """One row of pixels over time: x to the right, frames downwards, from the first frame on."""

    def __init__(self, row: int) -> None:
        self.row = row
        self._rows: list[list[Picture]] = []

    def add(self, instant: Instant) -> None:
        """Add the next frame of every clip."""
        if len(self._rows) < SLICE_FRAMES:
            self._rows.append([eight_bit(picture[self.row]) for picture in instant.pictures])

    def pictures(self) -> list[Picture]:
        """One per clip, (n · frames, W, 3) RGB: n is 1, or more where few frames would make too low
        a picture."""
        repeats = max(1, _SLICE_HEIGHT // len(self._rows))
        return [np.stack(rows).repeat(repeats, 0) for rows in zip(*self._rows, strict=True)]


@dataclass
class Stills:
    """The first frame, and the pair of frames in which the results flicker most.

    Attributes:
        first, worst: captions and pictures, (H, W, 3) RGB, one per clip; for the pair both frames
            and their difference.
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
        """Add a pair with the results' mean warping error (NaN for none), difference and mask; see
        :meth:`FlickerMaps.add`."""
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
    """8- or 16-bit code values as 8 bits."""
    if picture.dtype == torch.uint8:
        return np.asarray(picture.numpy(), np.uint8).copy()
    return np.asarray((picture.float() / 257).round().byte().numpy(), np.uint8)


def bounded(picture: Picture) -> Picture:
    """Downscaled to at most :data:`WIDTH` pixels wide."""
    height, width = picture.shape[:2]
    if width <= WIDTH:
        return picture
    size = (WIDTH, max(1, round(height * WIDTH / width)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def data_url(picture: Picture, *, lossless: bool = True) -> str:
    """A picture (H, W, 3) RGB as a data URL, for a self-contained page."""
    kind, options = ("png", []) if lossless else ("jpeg", [cv2.IMWRITE_JPEG_QUALITY, 92])
    encoded = cv2.imencode(f".{kind}", picture[..., ::-1], options)[1]
    return f"data:image/{kind};base64,{base64.b64encode(encoded.tobytes()).decode()}"


def middle_row(matte: NDArray[np.uint8] | None, height: int) -> int:
    """The row through the middle of the object, or of the frame."""
    rows = np.flatnonzero(matte.max(axis=1) >= 128).tolist() if matte is not None else []
    return rows[len(rows) // 2] if rows else height // 2
