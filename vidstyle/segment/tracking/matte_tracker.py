"""Tracking a matte from picture to picture: the interface."""

from typing import Any, Protocol

from vidstyle.segment.clip import Image
from vidstyle.segment.mattes.store import Matte


class MatteTracker(Protocol):
    """Tracks a matte from picture to picture: ``Tracker``, or a model's memory."""

    @property
    def confidence(self) -> float:
        """Of the latest matte, 0 to 1."""
        ...

    def reset(self, image: Image, matte: Matte) -> None:
        """Start or continue from a picture (H, W, 3) and the object's matte (H, W) in it."""
        ...

    def flows(self, latest: Image, image: Image) -> Any:
        """The motion between two pictures, as :meth:`step` of this tracker needs it; computed
        ahead, in another thread."""
        ...

    def step(self, image: Image, flows: Any = None) -> Matte:
        """The object's matte (H, W) in the next picture, in tracking order."""
        ...
