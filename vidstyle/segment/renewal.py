"""Key mattes on the way: a segmenter that betters what was tracked, now and then and in doubt."""

import logging
from collections.abc import Iterable

from vidstyle.segment.clip import Clip, Image, small_frames, small_frames_backwards
from vidstyle.segment.keys import KeyMattes
from vidstyle.segment.propagate import agreement
from vidstyle.segment.segmenter import Segmenter
from vidstyle.segment.tracker import Tracker

logger = logging.getLogger(__name__)

EVERY = 10  # frames from one key matte to the next, at least
DOUBT = 0.5  # confidence below which the next one comes at once,
REST = 4  # yet not sooner than so many frames after the last
MOST = 100  # a shot, so that neither time nor memory is without bounds
LEAST = 0.4  # agreement with what was tracked, below which the answer is another object


def renew(
    thing: KeyMattes, clip: Clip, shot: tuple[int, int], tracker: Tracker, segmenter: Segmenter
) -> None:
    """Track a thing through its shot and add key mattes: what the segmenter makes of the tracked
    matte, in every tenth frame (every hundredth part of a long shot), and wherever the tracker's
    confidence falls.

    The segmenter looks at these frames only, once at each.
    """
    first = min(thing.small)
    onwards = enumerate(small_frames(clip, first, shot[1]), first)
    backwards = zip(
        range(first, shot[0] - 1, -1),
        small_frames_backwards(clip, shot[0], first + 1),
        strict=True,
    )
    every = max(EVERY, (shot[1] - shot[0]) // MOST)
    for way in (onwards, backwards):
        _renew_along(way, thing, tracker, segmenter, every)


def _renew_along(
    way: Iterable[tuple[int, Image]],
    thing: KeyMattes,
    tracker: Tracker,
    segmenter: Segmenter,
    every: int,
) -> None:
    """Along frames that begin with a key frame."""
    since = asked = 0
    for frame, image in way:
        if frame in thing.small:
            tracker.reset(image, thing.small[frame])
            since = 0
            continue
        matte = tracker.step(image)
        since += 1
        due = since >= every or (since >= REST and tracker.confidence < DOUBT)
        if not due or asked == MOST or not (matte > 127).any():
            continue
        asked, since = asked + 1, 0
        answer = segmenter.segment(image, hint=matte)
        if agreement(answer, matte) >= LEAST:
            thing.small[frame] = answer
            tracker.reset(image, answer)
        else:
            logger.info("frame %d: %s sees another object there", frame, segmenter.name)
