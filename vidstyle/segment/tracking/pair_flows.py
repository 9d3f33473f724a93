"""The flow between two pictures, both ways, estimated once for all passes over a shot."""

import hashlib

import torch

from vidstyle.motion.dis import DisFlow
from vidstyle.motion.estimator import FlowEstimator
from vidstyle.runtime.array_file import ArrayFile, Place
from vidstyle.segment.clip import Image
from vidstyle.segment.tracking.affine import Flow, flows_both_ways

#: Short side at which flow is estimated, in pixels.
FLOW_SIDE = 480


class PairFlows:
    """Estimates flows, and caches them while there is room.

    A shot is tracked in both directions, in several rounds, and stabilised: each pair of its
    pictures is requested up to nine times. Pairs are identified by content, in either order.

    Cached flows are rounded to half precision, a thousandth of their length; so are those that do
    not fit, so that the result does not depend on the cache's size. Thread-safe.

    Args:
        estimator: defaults to OpenCV's DIS.
        file: the cache; None for no caching and no rounding.
    """

    def __init__(
        self, estimator: FlowEstimator | None = None, file: ArrayFile | None = None
    ) -> None:
        self._estimator = estimator or DisFlow(FLOW_SIDE)
        self._file = file
        self._places: dict[bytes, tuple[Place, ...]] = {}

    def __call__(self, first: Image, second: Image) -> tuple[Flow, Flow]:
        """The flows (H, W, 2), in pixels, from the first picture (H, W, 3) to the second, and
        back."""
        if self._file is None:
            return flows_both_ways(self._estimator, first, second)
        ours, theirs = _digest(first), _digest(second)
        if ours > theirs:
            there, back = self._kept(theirs + ours, second, first, self._file)
            return back, there
        return self._kept(ours + theirs, first, second, self._file)

    def _kept(self, key: bytes, first: Image, second: Image, file: ArrayFile) -> tuple[Flow, Flow]:
        places = self._places.get(key)
        if places is None:
            found = flows_both_ways(self._estimator, first, second)
            halves = [torch.from_numpy(flow).half().numpy() for flow in found]
            if places := file.write(*halves):
                self._places[key] = places
        else:
            halves = [file.read(place) for place in places]
        there, back = (torch.from_numpy(half).float().numpy() for half in halves)
        return there, back


def pair_bytes(size: tuple[int, int]) -> int:
    """Bytes cached for a pair of pictures of a size (H, W)."""
    directions, axes, half = 2, 2, 2
    return directions * axes * half * size[0] * size[1]


def _digest(image: Image) -> bytes:
    return hashlib.blake2b(image.tobytes(), digest_size=16).digest()
