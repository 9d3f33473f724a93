"""What a thing looks like, by its colours, to tell it from others."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from vidstyle.segment.clip import Image
from vidstyle.segment.mattes.store import Matte
from vidstyle.segment.tracking.appearance import colour_odds
from vidstyle.segment.tracking.colours import Look, best_likeness, likeness, look
from vidstyle.segment.tracking.traits import Traits

#: Likeness to a key matte's colours, below which a matte shows another thing, and from which
#: something is the thing itself; see ``colours``.
STRANGE, KNOWN = 0.8, 0.84

_PLACES = 4  # that something may be at in a picture

#: A pixel (x, y).
Point = tuple[int, int]


class Identity:
    """What a thing looks like in frames where its matte can be trusted.

    Args:
        known: such pictures (H, W, 3), with the thing's mattes (H, W).
    """

    def __init__(self, known: Sequence[tuple[Image, Matte]]) -> None:
        self._traits, seen = _as_traits(known)
        self._looks = _looks(seen)
        self._odds = colour_odds(seen)

    def likeness(self, image: Image, matte: Matte) -> float:
        """How much what a matte (H, W) shows looks like the thing, 0 to 1."""
        return best_likeness(look(self._traits(image), matte > 127), self._looks)

    def whereabouts(self, image: Image, side: float) -> Iterator[Point]:
        """Pixels (x, y) in a picture (H, W, 3) around which colours are the thing's rather than its
        surroundings', most likely ones first.

        Args:
            side: square root of the thing's area, in pixels.
        """
        reach = max(3, round(side / 3) | 1)
        around = cv2.blur(self._odds(self._traits(image)), (reach, reach))
        for _ in range(_PLACES):
            _, most, _, place = cv2.minMaxLoc(around)
            if most <= 0:
                return
            yield int(place[0]), int(place[1])
            cv2.circle(around, place, max(1, round(side / 2)), (-np.inf,), cv2.FILLED)


def alike(known: Sequence[tuple[Image, Matte]], weights: Sequence[float]) -> list[int]:
    """The indices of the pictures (H, W, 3) whose mattes (H, W) show the same thing, by its
    colours, which may change from one to the next: of several groups, the one that weighs most."""
    looks = _looks(_as_traits(known)[1])
    groups: list[list[int]] = []
    for index, seen in enumerate(looks):
        joined = [index]
        apart = []
        for group in groups:
            if any(likeness(seen, looks[other]) >= KNOWN for other in group):
                joined += group
            else:
                apart.append(group)
        groups = [*apart, joined]
    return max(groups, key=lambda group: sum(weights[index] for index in group))


def _as_traits(
    known: Sequence[tuple[Image, Matte]],
) -> tuple[Traits, list[tuple[Image, Matte]]]:
    """The traits that suit some pictures (H, W, 3), and these pictures' own, with the mattes."""
    traits = Traits.of(image for image, _ in known)
    return traits, [(traits(image), matte) for image, matte in known]


def _looks(seen: Sequence[tuple[Image, Matte]]) -> list[Look]:
    """Of what mattes (H, W) show, in pictures given by their traits (H, W, 3)."""
    return [look(traits, matte > 127) for traits, matte in seen]
