"""Carries one key through its shot, frame by frame, away from the key frame."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.carry.field import GRAIN, Field
from vidstyle.carry.following import Follower, smoothed
from vidstyle.carry.matching import ROUNDS, Lattice, Source, guides, patches, stride_for
from vidstyle.carry.voting import painted, voted
from vidstyle.media.cutout import nearest_seen
from vidstyle.media.frame import Box
from vidstyle.motion.estimator import FlowEstimator
from vidstyle.motion.warp import warp

#: Squared distance of two patches' guides, per pixel, up to which they look alike.
ALIKE = 0.02
#: Pixels around an object that a field covers.
RIM = 12


class Carrier:
    """Finds, for each frame, the positions in the key that its pixels correspond to.

    Two methods are combined. The flow, composed from frame to frame, keeps every stroke in place
    for as long as it can be trusted. Patch matching works everywhere, including where the object
    has turned; it takes the paint of the frame before into account, so that matches move with the
    object.

    All pictures are at the working size, (1, C, H, W) in [0, 1].
    """

    def __init__(
        self, image: Tensor, matte: Tensor, paint: Tensor, flow: FlowEstimator, reach: int = 0
    ) -> None:
        """
        Args:
            image: the plate of the key frame.
            matte: of the object in it; not empty.
            paint: defined everywhere, see :func:`spread`.
            reach: pixels by which the painted outline extends beyond the matte.
        """
        self._key, self._paint, self._rim = (image, matte), paint, RIM + reach
        self._size, self._flow = (image.shape[2], image.shape[3]), flow
        self._sources: dict[int, Source] = {}
        self.reset()

    def reset(self) -> None:
        """Return to the key: the next step goes to a frame next to it."""
        self._follower = Follower(*self._key, self._flow)
        self._before = self._paint, Box(0, 0, self._size[1], self._size[0])

    def step(self, image: Tensor, matte: Tensor, share: float = 1.0) -> Field | None:
        """Advance to the next frame, away from the key.

        Args:
            share: of the key in that frame.

        Returns:
            None if the object is not in the frame.
        """
        place, (back, holds) = self._follower.step(image, matte)
        bounds = cv2.boundingRect((matte[0, 0].numpy() > 0).astype(np.uint8))
        if not bounds[2]:
            return None
        stride = stride_for(matte)
        x, y, width, height = bounds
        box = Box(x, y, x + width, y + height).padded(self._rim, GRAIN * stride, self._size)
        image, matte, back, holds, offset, trust = (
            plane[..., box.rows, box.columns]
            for plane in (image, matte, back, holds, place.offset, place.trust)
        )
        before, there = self._before
        move = back.new_tensor([box.x0 - there.x0, box.y0 - there.y0])[:, None, None]
        field = Field(
            share,
            self._size,
            box,
            offset[0, :, ::GRAIN, ::GRAIN],
            smoothed(trust, 2.0)[0, 0, ::GRAIN, ::GRAIN],
            stride,
            *self._matched(
                image, matte, warp(before, back + move), holds, offset, trust, box, stride
            ),
        )
        paint, _ = painted(self._paint, field, box)
        self._before = spread(paint, matte), box
        return field

    def _matched(
        self,
        image: Tensor,
        matte: Tensor,
        paint: Tensor,
        holds: Tensor,
        offset: Tensor,
        trust: Tensor,
        box: Box,
        stride: int,
    ) -> tuple[Tensor, Tensor]:
        """``matches`` and ``shown`` of a :class:`Field`, from pictures in its box.

        Args:
            paint: of the frame before, warped along the flow.
            holds: where that flow is valid.
            offset, trust: see :class:`~vidstyle.carry.following.Place`.
        """
        source, lattice = self._source(stride), Lattice.over(matte, stride)
        rows, columns = lattice.rows, lattice.columns
        at = rows // stride, columns // stride
        seen = patches(guides(image, matte), lattice)
        here = torch.stack([columns + box.x0, rows + box.y0], 1)
        expected, trusted = here + offset[0][:, rows, columns].T, trust[0, 0, rows, columns]
        sure = holds[0, 0, rows, columns]
        size = -(-box.height // stride), -(-box.width // stride)
        matches, shown = torch.full((2, *size), -1, dtype=torch.int16), torch.zeros(size)
        for turn in range(ROUNDS):
            places, gap = source.search(seen, patches(paint, lattice), sure, expected, trusted)
            matches[:, at[0], at[1]] = places.T.short()
            sure = torch.ones_like(sure)
            if turn < ROUNDS - 1:
                found = Field(1.0, self._size, box, offset[0], trust[0, 0], stride, matches, shown)
                colours, known = voted(self._paint, found, box)
                paint = torch.where(known > 0, colours, paint)
        shown[at] = torch.exp(-gap / ALIKE)
        return matches, smoothed(shown[None, None], 1.5)[0, 0]

    def _source(self, stride: int) -> Source:
        if stride not in self._sources:
            self._sources[stride] = Source(*self._key, self._paint, stride)
        return self._sources[stride]


def spread(paint: Tensor, matte: Tensor) -> Tensor:
    """Paint (1, C, H, W), with pixels outside the matte, (1, 1, H, W), taken from the nearest pixel
    inside, so that a painted background does not bleed in and edges do not fray."""
    inside = matte[0, 0].numpy() > 0.5
    if not inside.any():
        return paint
    rows, columns = map(torch.from_numpy, nearest_seen(~inside))
    filled = paint.clone()
    filled[..., torch.from_numpy(~inside)] = paint[..., rows, columns]
    return filled


def resized(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """(1, C, H, W) resized to ``size`` (h, w) by area averaging."""
    if picture.shape[2:] == size:
        return picture
    return F.interpolate(picture, size, mode="area")
