"""Stabilising mattes along the plate's motion, so that their edges do not boil."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.media.frame import Box
from vidstyle.runtime.prefetch import done_ahead
from vidstyle.segment.clip import Image, Plane, after_another
from vidstyle.segment.mattes.store import Matte, bounding_box
from vidstyle.segment.tracking.affine import Flow, trust
from vidstyle.segment.tracking.pair_flows import PairFlows

_PHOTOMETRIC = 28.0  # levels: difference at which the plate no longer looks the same
_AROUND = 32  # pixels around the mattes in which the flow is used


@dataclass(frozen=True)
class Seen:
    """A picture (H, W, 3) with its matte (H, W)."""

    image: Image
    matte: Matte
    fixed: bool = False


@dataclass(frozen=True)
class _Vote:
    """A neighbouring frame's matte, warped along the flow into this one's ``box`` (h, w), and its
    weight there, 0 to 1."""

    box: Box
    matte: Plane
    weight: Plane


@contextmanager
def steadied(views: Iterable[Seen], flows: PairFlows | None = None) -> Iterator[Iterator[Matte]]:
    """The matte of each of a shot's consecutive frames, averaged with those of the frames before
    and after, warped along the plate's flow.

    A neighbour counts as much as the frame itself where forward and backward flow cancel (Ruder
    et al. 2016, eq. 5), and less the more its warped picture differs from this one. As both
    neighbours count equally, the matte does not lag behind its object. Fixed mattes are unchanged,
    but contribute to their neighbours.

    Args:
        flows: between pictures; by default estimated with OpenCV's DIS, and not cached.

    Returns:
        within the ``with``, mattes (H, W), some frames behind the views that are read: votes are
        computed ahead.
    """
    vote = partial(_votes, flows=flows or PairFlows())
    with done_ahead(vote, after_another(views)) as counted:
        yield _means(counted)


def _means(counted: Iterable[tuple[Seen, _Vote | None, _Vote | None]]) -> Iterator[Matte]:
    before: _Vote | None = None
    latest: Seen | None = None
    for view, after, onwards in counted:
        if latest is not None:
            yield _mean(latest, [v for v in (before, after) if v])
        before, latest = onwards, view
    if latest is not None:
        yield _mean(latest, [before] if before else [])


def _votes(
    pair: tuple[Seen | None, Seen], flows: PairFlows
) -> tuple[Seen, _Vote | None, _Vote | None]:
    """The second view, its vote for the first, and the first's for it; None without an object."""
    first, second = pair
    if first is None:
        return second, None, None
    boxes = [b for b in (bounding_box(first.matte), bounding_box(second.matte)) if b]
    if not boxes:
        return second, None, None
    whole = boxes[0] if len(boxes) == 1 else boxes[0] | boxes[1]
    box = whole.padded(_AROUND, 1, first.matte.shape[:2])
    crops = [v.image[box.rows, box.columns] for v in (first, second)]
    # Flows of the whole pictures, as already estimated for tracking.
    there, back = (flow[box.rows, box.columns] for flow in flows(first.image, second.image))
    mattes = [v.matte[box.rows, box.columns] for v in (first, second)]
    return (
        second,
        _carried(box, crops[0], crops[1], mattes[1], there, back),
        _carried(box, crops[1], crops[0], mattes[0], back, there),
    )


def _carried(
    box: Box, here: Image, other: Image, matte: Matte, flow: Flow, returning: Flow
) -> _Vote:
    """The matte of the ``other`` picture, warped back along the ``flow`` that leads there."""
    height, width = here.shape[:2]
    x = np.arange(width, dtype=np.float32) + flow[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]
    again = _sampled(returning, x, y)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    # The mean over the channels: NumPy's takes ten times as long.
    unlike = cv2.transform(np.square(here - _sampled(other, x, y)), np.full((1, 3), 1 / 3))
    weight = inside * trust(flow, again) * np.exp(-unlike / _PHOTOMETRIC**2)
    return _Vote(box, _sampled(matte, x, y), np.asarray(weight, np.float32))


def _mean(view: Seen, votes: Iterable[_Vote]) -> Matte:
    votes = list(votes)
    if view.fixed or not votes:
        return view.matte
    total, weight = view.matte.astype(np.float32), np.ones(view.matte.shape, np.float32)
    for vote in votes:
        total[vote.box.rows, vote.box.columns] += vote.weight * vote.matte
        weight[vote.box.rows, vote.box.columns] += vote.weight
    return np.asarray(np.rint(total / weight), np.uint8)


def _sampled(plane: NDArray[np.generic], x: Plane, y: Plane) -> Plane:
    """A plane (h, w) or (h, w, C) at the positions x, y."""
    values = np.asarray(plane, np.float32)
    return np.asarray(
        cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )
