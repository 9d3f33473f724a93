"""New key mattes while tracking: a segmenter improves tracked mattes, periodically and in doubt."""

import logging
from collections.abc import Callable, Container

import numpy as np

from vidstyle.segment.clip import Image
from vidstyle.segment.mattes.store import Matte, agreement
from vidstyle.segment.segmenters.segmenter import Segmenter

logger = logging.getLogger(__name__)

#: Minimum frames from one key matte to the next. Going from 10 to 3 raised J from a mask by 0.03
#: over 24 frames of six DAVIS clips, with steadier edges.
DENSE = 3
#: The same where key mattes may be outvoted, so that an error in one is not passed on first.
SPARSE = 10
DOUBT = 0.5  # confidence below which the next one is made at once,
REST = 4  # but not within this many frames of the last
MOST = 100  # per shot, on schedule, and as many again in doubt: bounds time and memory
LEAST = 0.4  # agreement with the tracked matte, below which the answer is another object
MORE = 0.7  # agreement of a key matte with its union with the tracked one; less adds too much
SAME = 0.97  # likewise; above it nothing is missing


class Renewal:
    """Makes new key mattes while a thing is tracked: the segmenter refines the tracked matte every
    few frames (every hundredth of a long shot), and wherever the tracker's confidence drops.

    The segmenter runs only in these frames, once in each, where a hidden thing should reappear, and
    in key frames whose matte differs from the tracked one.

    Args:
        length: frames of the shot.
        settled: key frames whose matte is final; None for all.
        every: minimum frames from one new key matte to the next.
        strange: whether a matte (H, W) in a picture (H, W, 3) has another thing's colours: it makes
            no key matte.

    Attributes:
        changed: how many key mattes were segmented again.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        length: int,
        settled: Container[int] | None = None,
        every: int = DENSE,
        strange: Callable[[Image, Matte], bool] = lambda *_: False,
    ) -> None:
        self._segmenter, self._settled, self._strange = segmenter, settled, strange
        self._every = max(every, length // MOST)
        self._since = self._asked = 0
        self.changed = 0

    def at_key(self, frame: int, image: Image, matte: Matte, key: Matte) -> Matte:
        """The matte (H, W) of a key frame, segmented again if it misses part of the tracked one.

        What a detector's box includes varies between key frames, such as a helmet in the hand.
        What moves with the thing is tracked along with it, and so spreads from any key frame that
        includes it to all others.

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
        """The matte (H, W) of what is found where a hidden thing should reappear; None if no look
        is due, or nothing is there.

        Args:
            expected: its shape there (H, W).
        """
        self._since += 1
        if self._since < REST or self._asked == MOST or not (expected > 127).any():
            return None
        self._asked, self._since = self._asked + 1, 0
        answer = self._segmenter.segment(image, hint=expected)
        if agreement(answer, expected) < LEAST or self._strange(image, answer):
            return None
        logger.info("frame %d: found again where it was expected to reappear", frame)
        return answer

    def renewed(self, frame: int, image: Image, matte: Matte, confidence: float) -> Matte | None:
        """A new key matte (H, W) for the next tracked frame; None for no new one.

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
        if agreement(answer, matte) >= LEAST and not self._strange(image, answer):
            return answer
        logger.info(
            "frame %d: %s sees a different object there; keeping the tracked matte",
            frame,
            self._segmenter.name,
        )
        return None
