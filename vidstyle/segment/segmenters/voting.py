"""Mattes of people by majority: Segment Anything and two networks that know nothing but people."""

from collections.abc import Sequence

import numpy as np

from vidstyle.media.frame import Box
from vidstyle.segment.clip import Image
from vidstyle.segment.detectors.coco import NAMES, PERSON
from vidstyle.segment.mattes.store import Matte
from vidstyle.segment.odds import log_odds, logistic
from vidstyle.segment.people.networks import as_matte
from vidstyle.segment.people.witness import PersonWitness
from vidstyle.segment.segmenters.segmenter import Segmenter

_WEIGHT = 2.0  # of the networks' log odds, relative to the segmenter's
_LEAST = 0.02  # probability of the segmenter's answer; it is no more certain


class PeopleVote:
    """A ``Segmenter`` that decides mattes of people by majority.

    Segment Anything finds outlines but does not know what belongs to a person: it leaves out hair,
    a dark sleeve or a foot, and takes in a picture frame behind. The person networks know what
    belongs together, coarsely. If they see what the segmenter sees, it is asked again with
    BlazePose's matte as a hint, and overruled where both are certain of the opposite.

    Args:
        segmenter: any that takes hints.

    Attributes:
        alone: the segmenter, without a vote.
    """

    renews = True

    def __init__(self, segmenter: Segmenter, witness: PersonWitness) -> None:
        self.alone, self.witness = segmenter, witness

    @property
    def name(self) -> str:
        return self.alone.name

    def knowing(self, name: str) -> Segmenter:
        """The same, for an object that a detector calls by this name: for people less doubtful,
        for COCO's other objects without a vote."""
        if name == PERSON:
            return PeopleVote(self.alone, self.witness.expecting())
        return self.alone if name in NAMES else self

    def segment(
        self,
        image: Image,
        boxes: Sequence[Box] = (),
        points: Sequence[tuple[int, int]] = (),
        hint: Matte | None = None,
        outside: Sequence[tuple[int, int]] = (),
    ) -> Matte:
        """See ``Segmenter``. Points, exclusions and several boxes say more than that there is a
        person, so there is no vote."""
        answer = self.alone.segment(image, boxes, points, hint, outside)
        if points or outside or len(boxes) > 1:
            return answer
        seen = self.witness.confirm(image, answer, boxes[0] if boxes else None)
        if seen is None:
            return answer
        if hint is None:
            answer = self.alone.segment(image, boxes, hint=as_matte(seen.body))
        odds = log_odds(answer / np.float32(255), _LEAST) + _WEIGHT * seen.log_odds()
        return as_matte(logistic(odds))
