"""Checking where a thing was tracked: it is told from others that cross it, and found again."""

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np

from vidstyle.media.frame import Box
from vidstyle.segment.clip import Clip, Image, small_frames
from vidstyle.segment.keys import KeyMattes, picture
from vidstyle.segment.mattes.store import Matte, MatteStore, agreement, bounding_box
from vidstyle.segment.segmenters.segmenter import Segmenter
from vidstyle.segment.tracking.identity import KNOWN, STRANGE, Identity, Point
from vidstyle.segment.tracking.propagate import Arrival

logger = logging.getLogger(__name__)

_SURE = 0.93  # likeness that needs no support from neighbouring frames
_BETTER = 0.05  # likeness by which it has to exceed the tracked matte's
#: Likeness below the usual, at which tracking may have begun to go astray, and at which the thing
#: is looked for elsewhere.
_SLIP, _DROP = 0.05, 0.1
_SHORT = 3  # frames that are not worth a search
_SPACING = 4  # frames from one search to the next, at least
_SEARCHES = 24  # per thing and shot
_FAR = 0.01  # likeness that makes up for a distance of the thing's side
_NEAR = 1.5  # sides of the thing, up to which two places may be on it
_SIZES = (0.3, 4.0)  # areas of the thing, relative to its usual one
_LEAST_PIXELS = 100  # of a matte whose colours mean anything
_BEFORE = 8  # frames before tracking goes astray, and after, when the thing and others are apart
_ELSEWHERE = 0.2  # agreement of mattes of different things, at most
_DOUBTED = 0.4  # confidence, at most, of a matte that may show another thing
_SUPPORT = 0.5  # agreement with what is tracked there from another frame


@dataclass(frozen=True)
class _Course:
    """How a thing was tracked through a shot.

    Attributes:
        start: the shot's first frame.
        likeness: of each frame's matte; 0 where there is none.
        pixels: its area.
    """

    start: int
    likeness: list[float]
    pixels: list[int]

    @property
    def side(self) -> float:
        """The square root of the usual area."""
        seen = [p for p, like in zip(self.pixels, self.likeness, strict=True) if like >= STRANGE]
        return float(median(seen) ** 0.5) if seen else 0.0

    def astray(self) -> Iterator[tuple[range, range]]:
        """Frames in which the matte shows nothing, or may show another thing; and the same with
        those around them in which tracking may have been going astray."""
        usual = median([like for like in self.likeness if like >= STRANGE] or [1.0])
        bound = max(STRANGE, usual - _DROP)
        strange = [like < bound for like in self.likeness]
        end = 0
        while end < len(strange):
            begin = end
            while end < len(strange) and any(strange[end : end + _SHORT]):
                end += 1
            if end - begin > _SHORT:
                first, last = begin, end
                while first > 0 and self.likeness[first - 1] < usual - _SLIP:
                    first -= 1
                while last < len(strange) and self.likeness[last] < usual - _SLIP:
                    last += 1
                yield (
                    range(self.start + begin, self.start + end),
                    range(self.start + first, self.start + last),
                )
                end = last
            end += 1


class Recognition:
    """Checks a tracked thing's mattes by its colours.

    Args:
        known: pictures (H, W, 3) in which the thing's mattes (H, W) can be trusted.
        shot: first frame and end.
        segmenter: cuts out what is at a point.
        go_on: called for every frame that is searched; it may raise.
    """

    def __init__(
        self,
        known: Sequence[tuple[Image, Matte]],
        clip: Clip,
        shot: tuple[int, int],
        segmenter: Segmenter,
        go_on: Callable[[], None],
    ) -> None:
        self._identity, self._clip, self._shot = Identity(known), clip, shot
        self._segmenter, self._go_on = segmenter, go_on
        self._found: set[int] = set()
        self._strangers: list[tuple[range, Identity]] = []

    def is_strange(self, image: Image, matte: Matte) -> bool:
        """Whether a matte (H, W) in a picture (H, W, 3) has another thing's colours."""
        return _area(matte) >= _LEAST_PIXELS and self._identity.likeness(image, matte) < STRANGE

    def corrected(self, thing: KeyMattes, store: MatteStore) -> bool:
        """Where a thing's matte shows another thing or nothing, look for the thing in the whole
        frame. Where it is found, or the matte certainly shows another, the key mattes that led
        astray are dropped.

        Returns:
            whether key mattes have changed.
        """
        course = self._course(store)
        astray = list(course.astray()) if course.side else []
        wanted = sum(len(strange) for strange, _ in astray)
        spacing = max(_SPACING, -(-wanted // _SEARCHES))
        changed = False
        for strange, slipping in astray:
            origin = self._origin(store, slipping)
            found = self._looked_for(strange[spacing // 2 :: spacing], course, origin)
            stranger = None if found else self._stranger(store, strange, slipping)
            if not found and stranger is None:
                continue
            changed = True
            for frame in [f for f in thing.small if f in slipping and f not in thing.by_hand]:
                del thing.small[frame]
                thing.images.pop(frame, None)
            for frame, matte in found.items():
                if frame not in thing.small:
                    logger.info("frame %d: found again by its colours", frame)
                    thing.small[frame] = matte
                    self._found.add(frame)
            if stranger is not None:
                logger.info(
                    "frames %d-%d: the matte went over to another object, which is removed",
                    strange[0], strange[-1],
                )  # fmt: skip
                self._strangers.append((slipping, stranger))
        return changed

    def withdrawn(self, thing: KeyMattes, arrivals: Mapping[int, Arrival]) -> bool:
        """Drop key mattes that were found, but that tracking from neither side leads to, unless
        they are unmistakable.

        Returns:
            whether there were any.
        """

        def stands(frame: int) -> bool:
            key, arrival = thing.small[frame], arrivals[frame]
            return (
                any(
                    tracked is not None and agreement(tracked, key) >= _SUPPORT
                    for tracked in (arrival.before, arrival.after)
                )
                or self._identity.likeness(picture(self._clip, frame), key) >= _SURE
            )

        dropped = [frame for frame in sorted(self._found) if not stands(frame)]
        for frame in dropped:
            logger.info("frame %d: its neighbours do not lead there; dropped", frame)
            del thing.small[frame]
            self._found.discard(frame)
        return bool(dropped)

    def judge(self, store: MatteStore) -> None:
        """Remove from mattes what looks like the objects they went over to, and doubt mattes that
        may show others."""
        for index, image in enumerate(small_frames(self._clip, *self._shot)):
            if not store.box(index):
                continue
            matte, confidence = store[index], store.confidence(index)
            strangers = [s for frames, s in self._strangers if self._shot[0] + index in frames]
            for stranger in strangers:
                matte = self._without(stranger, image, matte)
            doubted = self.is_strange(image, matte)
            if doubted or strangers:
                store.put(index, matte, min(_DOUBTED, confidence) if doubted else confidence)

    def _without(self, stranger: Identity, image: Image, matte: Matte) -> Matte:
        """A matte (H, W) without the islands that look more like a stranger."""
        count, labels = cv2.connectedComponents((matte > 127).astype(np.uint8))
        for label in range(1, count):
            island = np.where(labels == label, np.uint8(255), np.uint8(0))
            if stranger.likeness(image, island) > self._identity.likeness(image, island):
                near = cv2.dilate(island, np.ones((5, 5), np.uint8)) > 0
                matte = np.where(near, np.uint8(0), matte)
        return matte

    def _stranger(self, store: MatteStore, strange: range, slipping: range) -> Identity | None:
        """What the mattes of a stretch show, if that was beside the thing before, and is seen in
        most frames from there on."""
        before = slipping[0] - _BEFORE
        latest = strange[min(_BEFORE, len(strange) - 1)]
        if before < self._shot[0]:
            return None
        shown = store[latest - self._shot[0]]
        pixels = _area(shown)
        if pixels < _LEAST_PIXELS:
            return None
        stranger = Identity([(picture(self._clip, latest), shown)])

        def seen(frame: int) -> list[Matte]:
            self._go_on()
            image = picture(self._clip, frame)
            return [m for m, _ in self._proposals(stranger, image, pixels**0.5, KNOWN)]

        thing = store[before - self._shot[0]]
        if all(agreement(matte, thing) >= _ELSEWHERE for matte in seen(before)):
            return None
        between = range(before + 2, strange[0] + 1, 2)
        often = sum(bool(seen(frame)) for frame in between)
        return stranger if 2 * often >= len(between) else None

    def _origin(self, store: MatteStore, slipping: range) -> Point | None:
        """Where the thing was when its tracking began to go astray, or when it was right again."""
        for frame in (slipping[0] - 1, slipping[-1] + 1):
            if frame in range(*self._shot) and (box := store.box(frame - self._shot[0])):
                return _centre(box)
        return None

    def _looked_for(
        self, frames: Sequence[int], course: _Course, origin: Point | None
    ) -> dict[int, Matte]:
        """Mattes (H, W) of the thing in those frames in which something looks more like it than
        what the tracked matte shows."""
        found = {}
        for frame in frames:
            least = max(KNOWN, course.likeness[frame - course.start] + _BETTER)
            matte = self._most_like(picture(self._clip, frame), course.side, least, origin)
            if matte is not None:
                found[frame] = matte
            self._go_on()
        return found

    def _most_like(
        self, image: Image, side: float, least: float, origin: Point | None
    ) -> Matte | None:
        """The matte (H, W) of what looks most like the thing in a picture, and is about as large;
        None if nothing has at least this likeness. Of two alike, the one nearer to where the thing
        was."""

        def rank(proposal: tuple[Matte, float]) -> float:
            matte, like = proposal
            box = bounding_box(np.where(matte > 127, matte, 0))
            if origin is None or box is None:
                return like
            return like - _FAR * math.dist(origin, _centre(box)) / side

        proposals = self._proposals(self._identity, image, side, least)
        best, _ = max(proposals, key=rank, default=(None, 0.0))
        return best

    def _proposals(
        self, identity: Identity, image: Image, side: float, least: float
    ) -> Iterator[tuple[Matte, float]]:
        """Mattes (H, W) of what may be something in a picture, with their likeness to it.

        Args:
            side: square root of its usual area.
            least: its likeness at least.
        """
        places = list(identity.whereabouts(image, side))
        seen = np.zeros(image.shape[:2], np.bool_)
        for place in places:
            if seen[place[1], place[0]]:
                continue
            near = [other for other in places if 0 < math.dist(place, other) < _NEAR * side]
            matte, like = self._whole(identity, image, place, near)
            size = _area(matte) / side**2
            if _SIZES[0] <= size <= _SIZES[1] and like >= least:
                seen |= matte > 127
                yield matte, like

    def _whole(
        self, identity: Identity, image: Image, place: Point, near: Sequence[Point]
    ) -> tuple[Matte, float]:
        """The matte (H, W) of what is at a pixel of a picture, and its likeness: with what is at
        those near it, if it looks more like the thing then. A point alone often gives a part, such
        as a jacket."""
        points = [place]
        matte = self._segmenter.segment(image, points=points)
        like = identity.likeness(image, matte)
        for other in near:
            if matte[other[1], other[0]] <= 127:
                more = self._segmenter.segment(image, points=[*points, other])
                if (better := identity.likeness(image, more)) > like:
                    points, matte, like = [*points, other], more, better
        return matte, like

    def _course(self, store: MatteStore) -> _Course:
        likenesses, pixels = [], []
        for index, image in enumerate(small_frames(self._clip, *self._shot)):
            matte = store[index]
            pixels.append(_area(matte))
            clear = pixels[-1] >= _LEAST_PIXELS
            likenesses.append(self._identity.likeness(image, matte) if clear else 0.0)
        return _Course(self._shot[0], likenesses, pixels)


def _area(matte: Matte) -> int:
    """Pixels of a matte (H, W) that are more object than background."""
    return int((matte > 127).sum())


def _centre(box: Box) -> Point:
    return (box.x0 + box.x1) // 2, (box.y0 + box.y1) // 2
