"""Mattes derived from other mattes, or from none."""

from collections.abc import Sequence

import numpy as np

from vidstyle.media.frame import Box
from vidstyle.segment.mattes.store import Matte, Mattes, bounding_box


class WholeFrame(Mattes):
    """The matte of the whole frame."""

    def __init__(self, size: tuple[int, int], count: int) -> None:
        self._size, self._count = size, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Matte:
        return np.full(self._size, 255, np.uint8)

    def box(self, index: int) -> Box | None:  # noqa: ARG002
        return Box(0, 0, self._size[1], self._size[0])


class Derived(Mattes):
    """Derived from other mattes, one for one, with the same confidence."""

    def __init__(self, mattes: Mattes) -> None:
        self._mattes = mattes

    def __len__(self) -> int:
        return len(self._mattes)

    def confidence(self, index: int) -> float:
        return self._mattes.confidence(index)


class Excluded(Derived):
    """An object minus others: min(m, 1 − e) for each of these, so that soft edges stay soft."""

    def __init__(self, mattes: Mattes, others: Sequence[Mattes]) -> None:
        super().__init__(mattes)
        self._others = others

    def __getitem__(self, index: int) -> Matte:
        here = [other[index] for other in self._others if other.box(index)]
        least = np.minimum.reduce([self._mattes[index], *(255 - other for other in here)])
        return np.asarray(least, np.uint8)

    def box(self, index: int) -> Box | None:
        box = self._mattes.box(index)
        if box is None or not any(other.box(index) for other in self._others):
            return box
        return bounding_box(self[index])

    def confidence(self, index: int) -> float:
        here = [other for other in self._others if other.box(index)]
        return min(mattes.confidence(index) for mattes in (self._mattes, *here))


class Within(Derived):
    """The part of other mattes inside a box."""

    def __init__(self, mattes: Mattes, box: Box) -> None:
        super().__init__(mattes)
        self._box = box

    def __getitem__(self, index: int) -> Matte:
        whole, box = self._mattes[index], self._box
        matte = np.zeros_like(whole)
        matte[box.rows, box.columns] = whole[box.rows, box.columns]
        return matte

    def box(self, index: int) -> Box | None:
        found = self._mattes.box(index)
        if found is None:
            return None
        inside = found & self._box
        return inside if inside.area else None


class Inverted(Derived):
    """Everything except the object."""

    def __getitem__(self, index: int) -> Matte:
        return 255 - self._mattes[index]

    def box(self, index: int) -> Box | None:
        return bounding_box(self[index])
