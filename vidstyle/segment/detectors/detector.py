"""Finding objects by name in one picture: the interface."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vidstyle.media.frame import Box
from vidstyle.segment.clip import Image
from vidstyle.segment.mattes.store import Matte


@dataclass(frozen=True)
class Detection:
    """One object in one picture.

    Attributes:
        name: what the detector calls it.
        score: the network's, 0 to 1.
        box: clipped to the picture.
        matte: (H, W), if the detector also segments.
    """

    name: str
    score: float
    box: Box
    matte: Matte | None = field(default=None, compare=False)


class Detector(Protocol):
    """Finds objects in one picture."""

    @property
    def name(self) -> str:
        """For the log and the report."""
        ...

    def name_of(self, word: str) -> str:
        """The detector's name for the objects that a word refers to, singular or plural.

        Raises:
            ObjectNotFoundError: it knows no such object; the message suggests the nearest names.
        """
        ...

    def detect(
        self, image: Image, names: Sequence[str] = (), faint: bool = False
    ) -> list[Detection]:
        """The objects in an RGB picture (H, W, 3), one detection each, best score first.

        Args:
            names: what to look for, from ``name_of``. A closed-vocabulary detector ignores this and
                returns everything it finds; an open-vocabulary one requires it.
            faint: include low-confidence detections. One of them means nothing; the same one in
                most frames of a shot does.
        """
        ...
