"""Carrying a matte from picture to picture: the interface."""

from typing import Any, Protocol

from vidstyle.segment.clip import Image
from vidstyle.segment.mattes.store import Matte


class MatteTracker(Protocol):
    """Carries a matte from picture to picture: ``Tracker``, or the memory of a model."""

    @property
    def confidence(self) -> float:
        """Of the latest matte, 0 to 1."""
        ...

    def reset(self, image: Image, matte: Matte) -> None:
        """Start, or go on, from a picture (H, W, 3) and the object's matte (H, W) in it."""
        ...

    def flows(self, latest: Image, image: Image) -> Any:
        """What :meth:`step` of this tracker must know of the motion between two pictures; asked for
        ahead, in another thread."""
        ...

    def step(self, image: Image, flows: Any = None) -> Matte:
        """The object's matte (H, W) in the next picture on the way."""
        ...
