"""Tracking a thing's key mattes through its shot, forwards and backwards."""

import logging
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from vidstyle.runtime.prefetch import done_ahead
from vidstyle.runtime.threads import threads_an_operation
from vidstyle.segment.clip import Clip, Image, after_another, small_frames, small_frames_backwards
from vidstyle.segment.mattes.store import Matte, MatteStore, agreement
from vidstyle.segment.tracking.matte_tracker import MatteTracker
from vidstyle.segment.tracking.renewal import Renewal
from vidstyle.segment.tracking.tracker import Tracker

logger = logging.getLogger(__name__)

CROSSFADE = 8  # frames, from the mattes of one key frame to those of the next
_FAR = 0.5  # agreement of two mattes that being halfway is worth, compared to being at a key


@dataclass(frozen=True)
class Arrival:
    """A thing's mattes at a key frame, as tracked there from the key frames on either side."""

    before: Matte | None = None
    after: Matte | None = None

    def contradicts(self, key: Matte) -> bool:
        """Whether the two agree with each other and neither agrees with the key matte."""
        if self.before is None or self.after is None:
            return False
        return agreement(self.before, self.after) > 0.6 and all(
            agreement(matte, key) < 0.4 for matte in (self.before, self.after)
        )


def propagate(
    keys: MutableMapping[int, Matte],
    clip: Clip,
    shot: tuple[int, int],
    tracker: MatteTracker,
    store: MatteStore,
    scratch: MatteStore,
    tick: Callable[[], None],
    renewal: Renewal | None = None,
) -> dict[int, Arrival]:
    """Track from the key frames to every frame of the shot.

    Between two key frames the thing is tracked from both, with a short crossfade where the two
    results agree best.

    Args:
        keys: matte (H, W) of each key frame, at the working size; at least one.
        shot: first frame and end.
        tracker: its state is reset.
        store: receives the mattes; its index 0 is the shot's first frame.
        scratch: likewise, for backward tracking.
        tick: called once per frame tracked; see :func:`passes`.
        renewal: adds key mattes while tracking, forwards from the first key frame and backwards
            before it, and improves existing ones.

    Returns:
        the mattes tracked to each key frame.
    """
    start, stop = shot
    first = min(keys)
    before: dict[int, Matte] = {}
    after: dict[int, Matte] = {}
    with _with_flows(small_frames(clip, first, stop), tracker) as onwards:
        for frame, (image, flows) in enumerate(onwards, first):
            matte = tracker.step(image, flows) if frame > first else keys[first]
            _renew(keys, frame, image, matte, tracker, renewal)
            if frame in keys:
                if frame > first:
                    before[frame] = matte
                tracker.reset(image, keys[frame])
                matte = keys[frame]
            store.put(frame - start, matte, tracker.confidence)
            tick()
    last = max(keys)
    if last > start:
        images = small_frames_backwards(clip, start, last + 1)
        with _with_flows(images, tracker) as backwards:
            for (image, flows), frame in zip(backwards, range(last, start - 1, -1), strict=True):
                matte = tracker.step(image, flows) if frame < last else keys[last]
                if frame in keys or frame < first:
                    _renew(keys, frame, image, matte, tracker, renewal)
                if frame in keys:
                    if frame < last:
                        after[frame] = matte
                    tracker.reset(image, keys[frame])
                    matte = keys[frame]
                into = store if frame < first else scratch
                into.put(frame - start, matte, tracker.confidence)
                tick()
    marks = sorted(keys)
    for left, right in pairwise(marks):
        _go_over(store, scratch, range(left - start + 1, right - start))
    return {frame: Arrival(before.get(frame), after.get(frame)) for frame in keys}


def _renew(
    keys: MutableMapping[int, Matte],
    frame: int,
    image: Image,
    matte: Matte,
    tracker: MatteTracker,
    renewal: Renewal | None,
) -> None:
    """Add a key matte if one is due, or improve the existing one."""
    if renewal is None:
        return
    if frame in keys:
        keys[frame] = renewal.at_key(frame, image, matte, keys[frame])
    elif isinstance(tracker, Tracker) and tracker.hidden:
        # A visible part, segmented by itself, would be taken for the whole.
        answer = renewal.found_again(frame, image, tracker.expected())
        if answer is not None and tracker.recognizes(answer):
            keys[frame] = answer
    elif (answer := renewal.renewed(frame, image, matte, tracker.confidence)) is not None:
        keys[frame] = answer


@contextmanager
def _with_flows(
    images: Iterator[Image], tracker: MatteTracker
) -> Iterator[Iterator[tuple[Image, Any]]]:
    """Pictures with the flows between each and the one before, estimated while earlier pictures
    are tracked."""

    def with_flow(pair: tuple[Image | None, Image]) -> tuple[Image, Any]:
        latest, image = pair
        return image, None if latest is None else tracker.flows(latest, image)

    # Pairs already run in parallel: threads within an operation would compete with them.
    with threads_an_operation(1), done_ahead(with_flow, after_another(images)) as made:
        yield made


def passes(keys: Mapping[int, Matte], shot: tuple[int, int], renews: bool = False) -> int:
    """How many frames ``propagate`` visits; an upper bound if key mattes are added meanwhile."""
    backwards = (shot[1] - 1 if renews else max(keys)) - shot[0]
    return shot[1] - min(keys) + (backwards + 1 if backwards else 0)


def _go_over(store: MatteStore, scratch: MatteStore, between: range) -> None:
    """Crossfade from the mattes of ``store`` to those of ``scratch``, in place.

    Halfway, where both were tracked equally far, their agreement is as good a measure of quality as
    the tracker's own estimate.
    """
    if not between:
        return
    half = len(between) / 2
    nearness = np.abs((np.arange(len(between)) + 0.5) / half - 1)
    agreements = np.array([agreement(store[index], scratch[index]) for index in between])
    middle = between[int(np.argmax(agreements - _FAR * nearness))]
    for index, near, agreed in zip(between, nearness.tolist(), agreements.tolist(), strict=True):
        share = min(max((index - middle) / CROSSFADE + 0.5, 0.0), 1.0)
        mixed = (1 - share) * store[index] + share * scratch[index]
        told = (1 - share) * store.confidence(index) + share * scratch.confidence(index)
        told += (1 - near) / 2 * (agreed - told)
        store.put(index, np.rint(mixed).astype(np.uint8), told)
