"""Mattes made from other mattes, or from nothing."""

import numpy as np

from vidstyle.frame import Box
from vidstyle.segment.mattes import Matte, Mattes, bounding_box


class WholeFrame:
    """The matte of no object in particular: everything."""

    def __init__(self, size: tuple[int, int], count: int) -> None:
        self._size, self._count = size, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Matte:
        return np.full(self._size, 255, np.uint8)

    def box(self, index: int) -> Box | None:  # noqa: ARG002
        return Box(0, 0, self._size[1], self._size[0])


class Inverted:
    """All but the object."""

    def __init__(self, mattes: Mattes) -> None:
        self._mattes = mattes

    def __len__(self) -> int:
        return len(self._mattes)

    def __getitem__(self, index: int) -> Matte:
        return 255 - self._mattes[index]

    def box(self, index: int) -> Box | None:
        return bounding_box(self[index])
