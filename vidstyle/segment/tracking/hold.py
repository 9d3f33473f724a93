"""Holding a thing through its shot: track it, check its key mattes, re-identify it where lost."""

import logging
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np

from vidstyle.segment.clip import Clip, Image, working_size
from vidstyle.segment.detectors.nesting import shared
from vidstyle.segment.keys import KeyMattes, cut, picture, recut
from vidstyle.segment.mattes.store import Matte, MatteStore, agreement, bounding_box
from vidstyle.segment.search import looked_at
from vidstyle.segment.segmenters.segmenter import Remembering, Segmenter
from vidstyle.segment.segmenters.voting import PeopleVote
from vidstyle.segment.tracking.identity import alike
from vidstyle.segment.tracking.linking import Sighting
from vidstyle.segment.tracking.matte_tracker import MatteTracker
from vidstyle.segment.tracking.pair_flows import PairFlows
from vidstyle.segment.tracking.propagate import Arrival, propagate
from vidstyle.segment.tracking.recognition import Recognition
from vidstyle.segment.tracking.renewal import DENSE, DOUBT, SAME, SPARSE, Renewal
from vidstyle.segment.tracking.tracker import Tracker

logger = logging.getLogger(__name__)

ROUNDS = 3  # of tracking, at most
_MISSED = 0.2  # overlap, as a share of the smaller box, below which the matte misses a detection
_CLEAR = 0.4  # score of a detection that overrules the tracker
_ALIKE = 0.7  # agreement of key mattes of the same thing
_REMAINS = 0.1  # share of its usual area, below which an undetected thing has gone
_MORE_KEYS = 4  # per round


def hold(
    thing: KeyMattes,
    clip: Clip,
    shot: tuple[int, int],
    segmenter: Segmenter,
    folder: Path,
    tick: Callable[[], None],
    flows: PairFlows | None = None,
    go_on: Callable[[], None] = lambda: None,
) -> MatteStore:
    """A thing's mattes, at the working size, in every frame of a shot.

    A thing found by name is tracked again while that changes its key mattes: those contradicted by
    tracking from the keys around them are dropped, and where the detector clearly sees it but the
    matte is elsewhere or empty, it is segmented anew. Where both detector and tracker have lost it,
    its mattes are empty. A segmenter that improves tracked mattes renews them in the first round
    and after corrections (``Renewal``). What the user drew or corrected is the ground truth, and
    overrules automatic key mattes wherever it can be tracked to. With such a segmenter, mattes are
    also checked by their colours (``Recognition``).

    Args:
        folder: receives the mattes.
        tick: called once per frame tracked in the first round.
        flows: see :class:`Tracker`.
        go_on: called once per frame tracked again; it may raise.
    """
    segmenter = thing.suited(segmenter)
    size, length = working_size(clip.size), shot[1] - shot[0]
    store = MatteStore(folder / "mattes", size, length)
    scratch = MatteStore(folder / "backwards", size, length)
    recognition = None
    if segmenter.renews:
        recognition = Recognition(_trusted(thing), clip, shot, segmenter, go_on)
    renewal = None if recognition is None else _renewal(thing, segmenter, length, recognition)

    def track(tick: Callable[[], None], renewal: Renewal | None = None) -> dict[int, Arrival]:
        tracker = _tracker(thing, segmenter, flows)
        return propagate(
            thing.small, clip, shot, tracker, store, scratch, tick, renewal
        )  # fmt: skip

    arrivals = track(tick, renewal)
    if thing.corrections or (thing.given and not thing.certain):
        _correct(thing, clip, shot[0], store, segmenter)
        doubtful = _by_hand_alone(thing)
        track(go_on, renewal)
        _keep_where_lost(thing, doubtful, store, shot[0])
        arrivals = track(go_on)
    elif renewal is not None and (_outvote(thing, arrivals, segmenter) or renewal.changed):
        arrivals = track(go_on)
    if recognition is not None and recognition.corrected(thing, store):
        arrivals = track(go_on)
        if recognition.withdrawn(thing, arrivals):
            arrivals = track(go_on)
    for _ in range(0 if thing.certain else ROUNDS - 1):
        doubted = _doubted(thing, arrivals)
        for frame in doubted:
            logger.info("frame %d: its matte contradicts the others; dropped", frame)
            del thing.small[frame]
            thing.images.pop(frame, None)
        missed = [
            frame
            for frame in _missed(thing, store, shot[0])
            if _cut_afresh(thing, clip, frame, segmenter, recognition)
        ]
        if not doubted and not missed:
            break
        arrivals = track(go_on)
    if thing.sighting is not None:
        _clear_remains(thing.sighting, thing.small, store, shot)
    _judge_keys(thing, store, shot)
    if recognition is not None:
        recognition.judge(store)
    return store


def _trusted(thing: KeyMattes) -> list[tuple[Image, Matte]]:
    """Pictures to recognise the thing by, with its mattes: those that the user drew or pointed at;
    failing that, those that agree with each other. Key mattes that show another are dropped."""
    frames = sorted(thing.images)
    if thing.by_hand & thing.images.keys():
        return [(thing.images[f], thing.small[f]) for f in frames if f in thing.by_hand]
    assert thing.sighting is not None
    scores = [thing.sighting.seen[frame].score for frame in frames]
    same = {frames[index] for index in alike(thing.known, scores)}
    for frame in thing.images.keys() - same:
        logger.info("frame %d: its matte shows another object than most; dropped", frame)
        del thing.small[frame], thing.images[frame]
    return thing.known


def _renewal(
    thing: KeyMattes, segmenter: Segmenter, length: int, recognition: Recognition
) -> Renewal:
    settled, every = (None, DENSE) if thing.certain else (thing.by_hand, SPARSE)
    return Renewal(segmenter, length, settled, every, recognition.is_strange)


def _outvote(thing: KeyMattes, arrivals: Mapping[int, Arrival], segmenter: Segmenter) -> bool:
    """Segment a named thing again where the key mattes on both sides agree that a part of one does
    not belong, or is missing: each pixel is a majority vote of the three.

    Returns:
        whether any key matte has changed.
    """
    changed = False
    for frame, image in thing.images.items():
        key, arrival = thing.small[frame], arrivals[frame]
        if thing.certain or frame in thing.by_hand:
            continue
        if arrival.before is None or arrival.after is None:
            continue
        votes = [arrival.before, key, arrival.after]
        most = np.median(votes, axis=0).astype(np.uint8)
        if min(agreement(vote, most) for vote in votes) < _ALIKE or agreement(key, most) > SAME:
            continue
        answer = segmenter.segment(image, hint=most)
        if agreement(answer, most) > agreement(key, most):
            logger.info("frame %d: matte redone to agree with the frames around it", frame)
            thing.small[frame], changed = answer, True
    return changed


def _tracker(thing: KeyMattes, segmenter: Segmenter, flows: PairFlows | None) -> MatteTracker:
    if isinstance(segmenter, Remembering):
        return segmenter.tracker()
    witness = segmenter.witness if isinstance(segmenter, PeopleVote) else None
    return Tracker(flows, thing.plate, thing.known, witness)


def _correct(
    thing: KeyMattes, clip: Clip, start: int, store: MatteStore, segmenter: Segmenter
) -> None:
    """Segment the thing again in the frames that the user corrects."""
    for frame, correction in thing.corrections.items():
        image = picture(clip, frame)
        thing.small[frame] = correction.applied(segmenter, image, store[frame - start])
        thing.images[frame] = image
        thing.by_hand.add(frame)


def _by_hand_alone(thing: KeyMattes) -> dict[int, Matte]:
    """Remove every key matte that the user did not draw, prompt or correct, unless that is all.

    Returns:
        the removed mattes, by frame.
    """
    automatic = thing.small.keys() - thing.by_hand
    if len(automatic) == len(thing.small):
        return {}
    for frame in automatic:
        thing.images.pop(frame, None)
    return {frame: thing.small.pop(frame) for frame in automatic}


def _keep_where_lost(
    thing: KeyMattes, automatic: Mapping[int, Matte], store: MatteStore, start: int
) -> None:
    """Restore automatic key mattes where tracking from the user's own is doubtful; elsewhere the
    user's prevail."""
    for frame, matte in automatic.items():
        if store.confidence(frame - start) < DOUBT:
            thing.small.setdefault(frame, matte)
        else:
            logger.info("frame %d: the matte drawn by hand overrules this one", frame)


def _doubted(thing: KeyMattes, arrivals: Mapping[int, Arrival]) -> list[int]:
    """Key frames whose matte the neighbours contradict; of consecutive ones, every second."""
    frames: list[int] = []
    marks = sorted(thing.small)
    for before, frame in pairwise(marks):
        if frame in thing.by_hand or before in frames:
            continue
        if arrivals[frame].contradicts(thing.small[frame]):
            frames.append(frame)
    return frames


def _missed(thing: KeyMattes, store: MatteStore, start: int) -> list[int]:
    """The few clearest frames, best first, in which the detector sees the thing where its matte is
    not."""
    assert thing.sighting is not None
    seen = thing.sighting.seen
    missed = []
    for frame, detection in seen.items():
        box = bounding_box((store[frame - start] > 127).astype(np.uint8))
        elsewhere = box is None or shared(box, detection.box) < _MISSED
        if frame not in thing.small and elsewhere and detection.score >= _CLEAR:
            missed.append(frame)
    return sorted(missed, key=lambda f: -seen[f].score)[:_MORE_KEYS]


def _clear_remains(
    sighting: Sighting, keys: Mapping[int, Matte], store: MatteStore, shot: tuple[int, int]
) -> None:
    """Clear tiny remnants of mattes where the detector does not see the thing: it has left, and the
    remnant sticks to the background."""
    usual = median(int((matte > 127).sum()) for matte in keys.values())
    samples = looked_at(shot)
    for frame in range(*shot):
        nearest = min(samples, key=lambda sample: abs(sample - frame))
        if nearest not in sighting.seen:
            matte = store[frame - shot[0]]
            if matte.any() and (matte > 127).sum() < _REMAINS * usual:
                store[frame - shot[0]] = np.zeros_like(matte)


def _judge_keys(thing: KeyMattes, store: MatteStore, shot: tuple[int, int]) -> None:
    """Give each key matte that is not the user's own the lower confidence of its neighbours: there
    is no other measure of its quality."""
    for frame in thing.small.keys() - thing.given.keys():
        beside = [f for f in (frame - 1, frame + 1) if f in range(*shot) and f not in thing.small]
        if beside:
            index = frame - shot[0]
            least = min(store.confidence(f - shot[0]) for f in beside)
            store.put(index, store[index], least)


def _cut_afresh(
    thing: KeyMattes,
    clip: Clip,
    frame: int,
    segmenter: Segmenter,
    recognition: Recognition | None,
) -> bool:
    """Whether the detector is right, and there is a new key matte."""
    assert thing.sighting is not None
    image, detection = picture(clip, frame), thing.sighting.seen[frame]
    first = cut(segmenter, image, detection)
    matte = recut(segmenter, image, detection, first, thing)
    if recognition is not None and recognition.is_strange(image, matte):
        return False
    logger.info("frame %d: the object is seen where it was not tracked; matte made there", frame)
    thing.keep(frame, image, matte)
    return True
