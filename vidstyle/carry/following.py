"""Positions of a frame's pixels in the key frame, followed from frame to frame."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from vidstyle.motion.estimator import FlowEstimator, both_ways
from vidstyle.motion.warp import inside, warp

#: Pixels over which the motion of trusted pixels is extrapolated, first to their neighbours and
#: then everywhere: a limb's own motion takes precedence over that of the whole object.
NEAR, FAR = 6.0, 30.0
#: RGB difference, in a range of 1, at which a pixel no longer matches its position in the key.
ALIKE = 0.12


@dataclass(frozen=True)
class Place:
    """The positions of a frame's pixels in the key frame.

    Attributes:
        offset: (1, 2, H, W) in pixels: pixel x lies at x + offset(x) in the key frame. Defined
            everywhere; extrapolated from nearby where it could not be followed.
        trust: (1, 1, H, W) in [0, 1]: how reliably it was followed. 0 outside the object.
    """

    offset: Tensor
    trust: Tensor


class Follower:
    """Composes the flow from frame to frame, away from a key frame.

    Errors accumulate, and surfaces that turn away are lost for good: trust only falls. It shows
    where patches must be searched for instead.
    """

    def __init__(self, image: Tensor, matte: Tensor, flow: FlowEstimator) -> None:
        """
        Args:
            image: the key frame, (1, 3, H, W) in [0, 1].
            matte: of the object in it, (1, 1, H, W) in [0, 1].
        """
        self._flow = flow
        self._key = image
        self._image, self._matte = image, matte
        self._place = Place(torch.zeros_like(image[:, :2]), matte)

    def step(self, image: Tensor, matte: Tensor) -> tuple[Place, tuple[Tensor, Tensor]]:
        """Advance to the next frame, away from the key.

        Args:
            image, matte: of the next frame, as for the key frame.

        Returns:
            its place, the flow to the frame before, (1, 2, H, W) in pixels, and where that is
            valid, (1, 1, H, W).
        """
        onwards, back = both_ways(self._flow, self._image, image)
        holds = _returns(onwards, back) * matte * warp(self._matte, back, "bilinear")
        moved = warp(torch.cat([self._place.offset, self._place.trust], 1), back, "bilinear")
        offset, trust = moved[:, :2] + back, moved[:, 2:] * holds
        offset = carried_on(offset, (trust > 0.5).float())
        gap = smoothed(
            (image - warp(self._key, offset, "bilinear")).abs().mean(1, keepdim=True), 1.5
        )
        trust = trust * matte
        self._image, self._matte = image, matte
        self._place = Place(offset, trust)
        return Place(offset, trust * torch.exp(-((gap / ALIKE) ** 2))), (back, holds)


def _returns(onwards: Tensor, back: Tensor) -> Tensor:
    """Where two flows cancel, to within half a pixel plus a twentieth of their lengths.

    Motion boundaries are kept, unlike in ``occlusion.valid``: whatever is not followed is lost for
    the rest of the shot.
    """
    returning = warp(onwards, back, "bilinear")
    allowed = 0.5 + 0.05 * (_length(returning) + _length(back))
    return (_length(returning + back) < allowed).float() * inside(back)


def _length(flow: Tensor) -> Tensor:
    """(1, 1, H, W)"""
    return flow.square().sum(1, keepdim=True).sqrt()


def carried_on(offset: Tensor, known: Tensor) -> Tensor:
    """An offset, (1, 2, H, W), unchanged where it is known, (1, 1, H, W), and smoothly extrapolated
    everywhere else (normalised convolution: Knutsson and Westin, CVPR 1993)."""
    if not known.any():
        return offset
    weighted = torch.cat([offset * known, known], 1)
    near, far = smoothed(weighted, NEAR), smoothed(weighted, FAR)
    mean = (offset * known).sum((2, 3), keepdim=True) / known.sum()
    beyond = torch.where(far[:, 2:] > 1e-3, far[:, :2] / far[:, 2:].clamp_min(1e-3), mean)
    beside = torch.where(near[:, 2:] > 0.02, near[:, :2] / near[:, 2:].clamp_min(0.02), beyond)
    return torch.where(known > 0, offset, beside)


def smoothed(planes: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (1, C, H, W)."""
    interleaved = np.ascontiguousarray(planes[0].permute(1, 2, 0).numpy())
    blurred = cv2.GaussianBlur(interleaved, (0, 0), sigma)
    return torch.from_numpy(blurred.reshape(interleaved.shape)).permute(2, 0, 1)[None]
