"""Which frame of a shot is painted first."""

import numpy as np

from vidstyle.painter.easel import first_key
from vidstyle.segment.mattes.store import HeldMattes, Matte


def square(side: int) -> Matte:
    matte = np.zeros((40, 40), np.uint8)
    matte[:side, :side] = 255
    return matte


class Doubted(HeldMattes):
    """Of which the middle ones cannot be relied on."""

    def confidence(self, index: int) -> float:
        return 0.4 if 4 <= index <= 7 else 0.9


def test_the_middle_of_where_the_object_is() -> None:
    mattes = [square(0)] * 4 + [square(20)] * 7
    assert first_key(HeldMattes(mattes), (0, 11)) == 7
    assert first_key(HeldMattes(mattes), (0, 4)) is None


def test_but_not_where_it_is_small_or_doubtful() -> None:
    mattes = [square(20)] * 12
    assert first_key(Doubted(mattes), (0, 12)) in (3, 8)
    mattes[5] = square(6)
    assert first_key(HeldMattes(mattes), (0, 12)) == 6


def test_nor_where_something_hides_half_of_it() -> None:
    hidden = square(20)
    hidden[2:18, 2:18] = 0
    mattes = [square(20)] * 5 + [hidden] * 3 + [square(20)] * 4
    assert first_key(HeldMattes(mattes), (0, 12)) in (4, 8)
