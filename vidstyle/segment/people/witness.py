"""Whether a matte shows a person, and where that person is: a second opinion on mattes."""

import numpy as np

from vidstyle.media.frame import Box
from vidstyle.segment.clip import Image
from vidstyle.segment.mattes.store import Matte, agreement, bounding_box
from vidstyle.segment.people.networks import Person, PersonNetworks, as_matte

#: Agreement of a matte with BlazePose's, below which they show different things: where anything may
#: have been prompted, and where a detector saw a person.
_ALIKE, _ALIKE_IN_PERSON = 0.6, 0.4
_PRESENT = 0.8  # score of a person's presence that is needed where no detector saw one


class PersonWitness:
    """Says where a person is, if a matte shows one at all.

    Attributes:
        expected: a detector has seen a person in whatever the mattes show.
    """

    def __init__(self, networks: PersonNetworks, expected: bool = False) -> None:
        self._networks, self.expected = networks, expected

    def expecting(self) -> "PersonWitness":
        """The same, for what a detector has seen to be a person."""
        return PersonWitness(self._networks, expected=True)

    def confirm(self, image: Image, matte: Matte, box: Box | None = None) -> Person | None:
        """The person that a matte (H, W) in an RGB picture (H, W, 3) shows; None if it shows
        something else, or only a part of one.

        Args:
            box: where to look; by default the matte's.
        """
        box = box or bounding_box((matte > 127).astype(np.uint8))
        if box is None:
            return None
        seen = self._networks.look(image, box)
        alike = agreement(matte, as_matte(seen.body))
        if self.expected:
            return seen if alike >= _ALIKE_IN_PERSON else None
        return seen if alike >= _ALIKE and seen.presence >= _PRESENT else None
