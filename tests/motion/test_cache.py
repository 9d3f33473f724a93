"""The cache of flows: nothing is estimated twice, nothing is believed that is damaged."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from vidstyle.errors import UsageError
from vidstyle.motion.cache import FlowCache
from vidstyle.motion.dis import DisFlow
from vidstyle.motion.raft import RaftFlow
from vidstyle.motion.warp import warp

MIB = 2**20


class Counting:
    """Estimates a flow that tells the pictures apart, and counts the pairs."""

    def __init__(self) -> None:
        self.pairs = 0

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        self.pairs += len(first)
        return torch.cat([first[:, :1], second[:, :1]], dim=1) * 3.14159


@pytest.fixture
def estimate() -> Counting:
    return Counting()


@pytest.fixture
def frames() -> Tensor:
    """(5, 3, 12, 16)"""
    return torch.rand(5, 3, 12, 16, generator=torch.Generator().manual_seed(1))


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_what_was_estimated_once_is_not_again(
    estimate: Counting, frames: Tensor, tmp_path: Path
) -> None:
    fresh = FlowCache(tmp_path / "flows", MIB).around(estimate, "counting")
    first = fresh(frames[:-1], frames[1:])
    assert estimate.pairs == 4
    again = FlowCache(tmp_path / "flows", MIB).around(estimate, "counting")
    assert torch.equal(again(frames[:-1], frames[1:]), first)
    # In other batches too, and in another order.
    assert torch.equal(again(frames[2:4], frames[3:5]), first[2:])
    assert torch.equal(again(frames[[3, 0]], frames[[4, 1]]), first[[3, 0]])
    assert estimate.pairs == 4
    torch.testing.assert_close(first, estimate(frames[:-1], frames[1:]), rtol=1e-3, atol=1e-6)


def test_only_what_is_missing_is_estimated(
    estimate: Counting, frames: Tensor, tmp_path: Path
) -> None:
    cached = FlowCache(tmp_path, MIB).around(estimate, "counting")
    cached(frames[1:3], frames[2:4])
    both = cached(frames[:-1], frames[1:])
    assert estimate.pairs == 2 + 2
    torch.testing.assert_close(both, estimate(frames[:-1], frames[1:]), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("change", ["pixel", "direction", "size", "identity"])
def test_all_that_a_flow_depends_on_is_in_its_key(
    estimate: Counting, frames: Tensor, change: str, tmp_path: Path
) -> None:
    cache = FlowCache(tmp_path, MIB)
    first, second = frames[:1], frames[1:2]
    cache.around(estimate, "one")(first, second)
    if change == "pixel":
        second = second.clone()
        second[0, 2, 11, 15] += 1e-3
    elif change == "direction":
        first, second = second, first
    elif change == "size":
        first, second = (each.reshape(1, 3, 16, 12) for each in (first, second))
    identity = "another" if change == "identity" else "one"
    cache.around(estimate, identity)(first, second)
    assert estimate.pairs == 2


def test_what_was_not_used_for_longest_goes_first(
    estimate: Counting, frames: Tensor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = 2 * 12 * 16 * 2 + 128  # bytes: half precision and NumPy's header
    cached = FlowCache(tmp_path, 3 * one).around(estimate, "counting")
    for number in range(3):
        cached(frames[number : number + 1], frames[number + 1 : number + 2])
        # Times of files may be coarse.
        for path in files(tmp_path):
            os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns - 10**9))
    cached(frames[:1], frames[1:2])
    cached(frames[3:4], frames[4:5])
    assert len(files(tmp_path)) == 3
    assert "is full" in caplog.text
    before = estimate.pairs
    cached(frames[:1], frames[1:2])
    assert estimate.pairs == before
    cached(frames[1:2], frames[2:3])
    assert estimate.pairs == before + 1


def test_a_full_folder_is_looked_at_seldom_and_never_holds_more(
    estimate: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, most = 2 * 12 * 16 * 2 + 128, 50
    frames = torch.rand(151, 3, 12, 16, generator=torch.Generator().manual_seed(1))
    looks = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: looks.append(path) or scandir(path))
    monkeypatch.setattr(Path, "glob", None)
    cached = FlowCache(tmp_path, most * one).around(estimate, "counting")
    for number in range(150):
        cached(frames[number : number + 1], frames[number + 1 : number + 2])
        with scandir(tmp_path) as found:
            assert sum(1 for _ in found) <= most
    assert len(looks) <= 150 // (most // 10) + 1
    # What was used last is there.
    before = estimate.pairs
    cached(frames[146:150], frames[147:151])
    assert estimate.pairs == before


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY\x01\x00", b"not a flow at all"])
def test_a_damaged_flow_is_told_and_estimated_again(
    estimate: Counting,
    frames: Tensor,
    damage: bytes,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    cached = FlowCache(tmp_path, MIB).around(estimate, "counting")
    expected = cached(frames[:1], frames[1:2])
    (path,) = files(tmp_path)
    path.write_bytes(damage)
    assert torch.equal(cached(frames[:1], frames[1:2]), expected)
    assert "estimated again" in caplog.text
    assert torch.equal(cached(frames[:1], frames[1:2]), expected)
    assert estimate.pairs == 2


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError, match=r"--flow-cache .*file: cannot be written to"):
        FlowCache(file, MIB)


@pytest.mark.parametrize("name", ["dis", "raft-small"])
def test_estimators_through_a_cache(
    name: str,
    photograph: Tensor,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """The same flow, in pixels of the input though it is kept at the bounded size."""

    def build(cache: FlowCache | None) -> Callable[[Tensor, Tensor], Tensor]:
        if name == "dis":
            return DisFlow(96, cache)
        weights = request.getfixturevalue("raft_small_weights")
        cpu = torch.device("cpu")
        return RaftFlow(name, weights, device=cpu, flow_size=96, updates=2, cache=cache)

    motion = torch.tensor([4.0, 2.0])[None, :, None, None].expand(1, 2, 400, 600)
    crop = (..., slice(100, 300), slice(150, 400))
    first, second = photograph[crop], warp(photograph, -motion).clamp(0, 1)[crop]
    expected = build(None)(first, second)
    for _ in range(2):
        flow = build(FlowCache(tmp_path, MIB))(first, second)
        torch.testing.assert_close(flow, expected, rtol=2e-3, atol=2e-3)
    assert len(files(tmp_path)) == 1
    assert files(tmp_path)[0].stat().st_size < 2 * 136 * 136 * 2 + 200
