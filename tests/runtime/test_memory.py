"""Batches that do not fit into memory are done in parts."""

import pytest
import torch
from torch import Tensor

from vidstyle.errors import DeviceError
from vidstyle.runtime.memory import Fitting, frames_at_once


def test_batches_of_large_frames_are_small() -> None:
    sizes = ((480, 854), (1080, 1920), (2160, 3840), (9000, 9000))
    assert [frames_at_once(8, size, torch.device("cpu")) for size in sizes] == [8, 4, 1, 1]


class Cramped:
    """Doubles pictures, of which its memory holds some at a time."""

    def __init__(self, room: int, error: type[Exception] = torch.OutOfMemoryError) -> None:
        self.room, self.error = room, error
        self.calls: list[int] = []

    def __call__(self, pictures: Tensor) -> Tensor:
        self.calls.append(len(pictures))
        if len(pictures) > self.room:
            raise self.error("can't allocate memory")
        return 2 * pictures


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, MemoryError, RuntimeError])
@pytest.mark.parametrize("room", [8, 3, 1])
def test_the_result_is_the_same_in_parts(room: int, error: type[Exception]) -> None:
    pictures, cramped = torch.arange(7), Cramped(room, error)
    parts = Fitting()(lambda part: cramped(pictures[part]), len(pictures))
    assert torch.equal(torch.cat(parts), 2 * pictures)


def test_what_did_not_fit_is_not_tried_again() -> None:
    pictures, cramped, fitting = torch.arange(8), Cramped(2), Fitting()
    for _ in range(2):
        fitting(lambda part: cramped(pictures[part]), len(pictures))
    assert cramped.calls == [8, 4, 2, 2, 2, 2, 2, 2, 2, 2]


def test_no_room_for_one_is_told() -> None:
    cramped = Cramped(0)
    with pytest.raises(DeviceError, match="one frame at a time"):
        Fitting()(lambda part: cramped(torch.zeros(4)[part]), 4)


def test_other_errors_are_not_swallowed() -> None:
    def broken(part: slice) -> None:
        raise RuntimeError(f"shapes do not fit at {part}")

    with pytest.raises(RuntimeError, match="shapes"):
        Fitting()(broken, 2)
