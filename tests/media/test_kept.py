"""A clip whose frames are decoded once. That it reads as any other does is in ``test_readers``."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from vidstyle.media.frame import Frame
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.kept import KeptClip

SIZE = (6, 8)


class Counted:
    """A clip of random frames with alpha that counts how often each is decoded."""

    def __init__(self, count: int, damaged: tuple[int, ...] = ()) -> None:
        self.info = ClipInfo("counted", *SIZE[::-1], Fraction(25), Fraction(1, 25))
        self.decoded: Counter[int] = Counter()
        draw = torch.Generator().manual_seed(0)
        self.all = [
            Frame(
                torch.randint(0, 65535, (*SIZE, 3), generator=draw).to(torch.uint16),
                index,
                index * 3,
                Fraction(1, 75),
                alpha=torch.randint(0, 65535, SIZE, generator=draw).to(torch.uint16),
                origin=Path(f"{index}.exr"),
            )
            for index in range(count)
            if index not in damaged
        ]

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        for frame in self.all:
            if start <= frame.index and (stop is None or frame.index < stop):
                self.decoded[frame.index] += 1
                yield frame


def same(one: Frame, other: Frame) -> bool:
    nothing = torch.zeros(1)  # which compares to something that is true
    assert one.alpha is not None
    assert other.alpha is not None
    return (
        torch.equal(one.image, other.image)
        and torch.equal(one.alpha, other.alpha)
        and replace(one, image=nothing, alpha=None) == replace(other, image=nothing, alpha=None)
    )


@pytest.mark.parametrize("damaged", [(), (0, 4, 5, 9)])
def test_each_frame_is_decoded_once_and_comes_back_bit_for_bit(
    tmp_path: Path, damaged: tuple[int, ...]
) -> None:
    source = Counted(10, damaged)
    with closing(KeptClip(source, tmp_path)) as kept:
        for start, stop in ((2, 5), (0, None), (6, 8), (0, 10), (3, None)):
            read = [*kept.frames(start, stop)]
            wanted = [*Counted(10, damaged).frames(start, stop)]
            assert len(read) == len(wanted)
            assert all(map(same, read, wanted))
    assert set(source.decoded.values()) == {1}


def test_what_has_no_room_is_decoded_each_time(tmp_path: Path) -> None:
    source = Counted(10)
    frame_bytes = source.all[0].image.nbytes * 4 // 3
    with closing(KeptClip(source, tmp_path, most=4 * frame_bytes)) as kept:
        for _ in range(3):
            assert [frame.index for frame in kept.frames()] == [*range(10)]
    assert sorted(source.decoded.values()) == [1] * 4 + [3] * 6


def test_threads_read_side_by_side(tmp_path: Path) -> None:
    source = Counted(40)
    with closing(KeptClip(source, tmp_path)) as kept, ThreadPoolExecutor(4) as pool:
        for read in pool.map(lambda start: [*kept.frames(start, start + 30)], [0, 10, 5, 2] * 4):
            assert all(same(frame, source.all[frame.index]) for frame in read)
