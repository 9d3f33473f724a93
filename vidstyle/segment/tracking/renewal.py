"""Key mattes on the way: a segmenter that betters what was tracked, now and then and in doubt."""

import logging
from collections.abc import Container

import numpy as np

from vidstyle.segment.clip import Image
from vidstyle.segment.mattes.store import Matte, agreement
from vidstyle.segment.segmenters.segmenter import Segmenter

logger = logging.getLogger(__name__)

#: Frames from one key matte to the next, at least. From 10 to 3, J from a mask rose by 0.03 over 24
#: frames of six DAVIS clips, and the edge got steadier.
DENSE = 3
#: Where key mattes may be outvoted: what one of them has wrong must not be handed on first.
SPARSE = 10
DOUBT = 0.5  # confidence below which the next one comes at once,
REST = 4  # yet not sooner than so many frames after the last
MOST = 100  # a shot, in turn and as many out of it: neither time nor memory is without bounds
LEAST = 0.4  # agreement with what was tracked, below which the answer is another object
MORE = 0.7  # agreement of a key matte with itself and what arrives, below which too much arrives
SAME = 0.97  # the same, above which nothing is missing


class Renewal:
    """Makes new key mattes while a thing is tracked: what the segmenter makes of the tracked matte,
    every few frames (every hundredth part of a long shot), and wherever the tracker's confidence
    falls.

    The segmenter looks at these frames only, once at each, and at key frames where the thing was
    cut otherwise than at those before.

    Args:
        length: frames of the shot.
        settled: key frames whose matte stands; None for all.
        every: frames from one new key matte to the next, at least.

    Attributes:
        changed: how many key mattes were cut again.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        length: int,
        settled: Container[int] | None = None,
        every: int = DENSE,
    ) -> None:
        self._segmenter, self._settled = segmenter, settled
        self._every = max(every, length // MOST)
        self._since = self._asked = 0
        self.changed = 0

    def at_key(self, frame: int, image: Image, matte: Matte, key: Matte) -> Matte:
        """The key matte (H, W) of a key frame that is met, cut again if it misses what arrives.

        What a detector's box takes in changes from one key frame to the next: a helmet in her
        hand. What moves with the thing arrives with the tracking, so it goes on from any key frame
        that has it to all others.

        Args:
            matte: as tracked, (H, W).
        """
        self._since = 0
        hint = np.maximum(matte, key)
        stands = self._settled is None or frame in self._settled
        if stands or agreement(matte, key) < LEAST or not MORE <= agreement(hint, key) <= SAME:
            return key
        answer = self._segmenter.segment(image, hint=hint)
        if agreement(answer, hint) <= agreement(key, hint):
            return key
        self.changed += 1
        logger.info("frame %d: matte redone with what other frames show", frame)
        return answer

    def found_again(self, frame: int, image: Image, expected: Matte) -> Matte | None:
        """What lies where a hidden thing should come out again, (H, W); None while it is not time
        to look, or nothing is there.

        Args:
            expected: its shape there (H, W).
        """
        self._since += 1
        if self._since < REST or self._asked == MOST or not (expected > 127).any():
            return None
        self._asked, self._since = self._asked + 1, 0
        answer = self._segmenter.segment(image, hint=expected)
        if agreement(answer, expected) < LEAST:
            return None
        logger.info("frame %d: found again where it was expected to reappear", frame)
        return answer

    def renewed(self, frame: int, image: Image, matte: Matte, confidence: float) -> Matte | None:
        """A new key matte (H, W) for the next frame on the way; None for no new one.

        Args:
            matte, confidence: as tracked, (H, W) and 0 to 1.
        """
        self._since += 1
        due = self._since >= self._every
        doubted = self._since >= REST and confidence < DOUBT and self._asked < MOST
        if not (due or doubted) or not (matte > 127).any():
            return None
        self._asked, self._since = self._asked + (not due), 0
        answer = self._segmenter.segment(image, hint=matte)
        if agreement(answer, matte) >= LEAST:
            return answer
        logger.info(
            "frame %d: %s sees a different object there; keeping the tracked matte",
            frame,
            self._segmenter.name,
        )
        return None
