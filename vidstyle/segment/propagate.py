"""Carrying a thing's key mattes through its shot, forwards and backwards."""

from collections.abc import Callable, Mapping

import numpy as np

from vidstyle.segment.clip import Clip, small_frames, small_frames_backwards
from vidstyle.segment.mattes import Matte, MatteStore
from vidstyle.segment.tracker import Tracker

CROSSFADE = 8  # frames, around the middle between two key frames


def propagate(
    keys: Mapping[int, Matte],
    clip: Clip,
    shot: tuple[int, int],
    tracker: Tracker,
    store: MatteStore,
    tick: Callable[[], None],
) -> None:
    """Track from the key frames to every frame of the shot.

    Between two key frames the thing is tracked from both, and each frame takes the matte of the
    nearer one, with a short crossfade in the middle.

    Args:
        keys: matte (H, W) at the working size of each key frame; at least one.
        shot: first frame and end.
        tracker: its state is reset.
        store: takes the mattes; its index 0 is the shot's first frame.
        tick: called once a frame tracked, ``passes(keys, shot)`` times.
    """
    start, stop = shot
    first, last = min(keys), max(keys)
    for frame, image in enumerate(small_frames(clip, first, stop), first):
        if frame in keys:
            tracker.reset(image, keys[frame])
            store[frame - start] = keys[frame]
        else:
            store[frame - start] = tracker.step(image)
        tick()
    if last == start:
        return
    before, after = last, last  # the key frames around the present frame
    marks = sorted(keys)
    for image, frame in zip(
        small_frames_backwards(clip, start, last + 1), range(last, start - 1, -1), strict=True
    ):
        if frame in keys:
            tracker.reset(image, keys[frame])
            after = frame
            before = max((m for m in marks if m < frame), default=-1)
        else:
            matte = tracker.step(image)
            if before >= 0:
                share = _share_of_later(frame, before, after)
                matte = np.rint((1 - share) * store[frame - start] + share * matte).astype(np.uint8)
            store[frame - start] = matte
        tick()


def passes(keys: Mapping[int, Matte], shot: tuple[int, int]) -> int:
    """How many frames ``propagate`` visits."""
    backwards = max(keys) - shot[0]
    return shot[1] - min(keys) + (backwards + 1 if backwards else 0)


def _share_of_later(frame: int, before: int, after: int) -> float:
    """Weight, 0 to 1, of the matte tracked back from the later key frame."""
    return min(max((frame - (before + after) / 2) / CROSSFADE + 0.5, 0.0), 1.0)
