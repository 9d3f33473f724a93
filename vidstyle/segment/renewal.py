"""Key mattes on the way: a segmenter that betters what was tracked, now and then and in doubt."""

import logging

from vidstyle.segment.agreement import agreement
from vidstyle.segment.clip import Image
from vidstyle.segment.mattes import Matte
from vidstyle.segment.segmenter import Segmenter

logger = logging.getLogger(__name__)

EVERY = 10  # frames from one key matte to the next, at least
DOUBT = 0.5  # confidence below which the next one comes at once,
REST = 4  # yet not sooner than so many frames after the last
MOST = 100  # a shot, so that neither time nor memory is without bounds
LEAST = 0.4  # agreement with what was tracked, below which the answer is another object


class Renewal:
    """Makes new key mattes while a thing is tracked: what the segmenter makes of the tracked matte,
    in every tenth frame (every hundredth part of a long shot), and wherever the tracker's
    confidence falls.

    The segmenter looks at these frames only, once at each.

    Args:
        length: frames of the shot.
    """

    def __init__(self, segmenter: Segmenter, length: int) -> None:
        self._segmenter = segmenter
        self._every = max(EVERY, length // MOST)
        self._since = self._asked = 0

    def at_key(self) -> None:
        """A key frame is met."""
        self._since = 0

    def renewed(self, frame: int, image: Image, matte: Matte, confidence: float) -> Matte | None:
        """A new key matte (H, W) for the next frame on the way; None for no new one.

        Args:
            matte, confidence: as tracked, (H, W) and 0 to 1.
        """
        self._since += 1
        due = self._since >= self._every or (self._since >= REST and confidence < DOUBT)
        if not due or self._asked == MOST or not (matte > 127).any():
            return None
        self._asked, self._since = self._asked + 1, 0
        answer = self._segmenter.segment(image, hint=matte)
        if agreement(answer, matte) >= LEAST:
            return answer
        logger.info("frame %d: %s sees another object there", frame, self._segmenter.name)
        return None
