"""Windows: they are spread over pictures, and what they tell of them is nearly the whole."""

import pytest
import torch
from torch import Tensor

from vidstyle.style import stylizer
from vidstyle.style import windows as module
from vidstyle.style.build import build_stylizer
from vidstyle.style.network import GRID
from vidstyle.style.windows import RIM, SIDE, WINDOWS, seen_through, windows


def quarters(covered: Tensor) -> list[float]:
    return [float(part.mean()) for half in covered.chunk(2) for part in half.chunk(2, dim=1)]


@pytest.mark.parametrize("size", [(3000, 4000), (4320, 7680), (15_000, 1000), (224, 90_000)])
def test_they_lie_apart_in_a_large_picture(size: tuple[int, int]) -> None:
    covered = torch.zeros(size)
    boxes = windows(torch.ones(1, 1, *size))
    assert len(boxes) == pytest.approx(WINDOWS, rel=0.25)
    for box in boxes:
        assert box.x0 % GRID == box.y0 % GRID == 0
        assert box.area < 2 * SIDE**2
        covered[box.rows, box.columns] += 1
    assert covered.max() == 1
    assert min(quarters(covered)) > 0.7 * max(quarters(covered))


def test_the_pictures_of_a_shot_share_them_and_show_every_place() -> None:
    matte = torch.ones(1, 1, 1080, 1920)
    covered = torch.zeros(1080, 1920)
    for number in range(16):
        boxes = windows(matte, number, 16)
        assert len(boxes) <= WINDOWS // 16
        for box in boxes:
            covered[box.rows, box.columns] += 1
    assert min(quarters(covered)) > 0.7 * max(quarters(covered))
    assert (covered > 0).float().mean() > 0.6
    assert [(box.width, box.height) for box in windows(matte)] == [(1920, 1080)]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows for a small picture; all of them are painted, for they hold few pixels."""
    for name, value in (("SIDE", 64), ("WINDOWS", 24)):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(stylizer, "PAINTED", 24)


@pytest.mark.usefixtures("small")
def test_only_windows_with_the_object_are_looked_at() -> None:
    picture, matte = torch.rand(1, 3, 400, 400), torch.zeros(1, 1, 400, 400)
    matte[..., 100:200, 100:200] = 1
    samples = list(seen_through(picture, matte))
    assert 1 < len(samples) < 24
    # All of it is seen, where windows meet twice.
    assert 100 * 100 <= sum(float(inside.sum()) for _, inside in samples) < 3 * 100 * 100
    matte[:] = 0
    matte[..., 0, 399] = 1
    ((part, inside),) = seen_through(picture, matte)
    assert part.shape[-1] <= 72 + 2 * RIM
    assert inside.sum() == 1


@pytest.mark.usefixtures("small")
def test_the_result_is_nearly_that_of_every_pixel(photograph: Tensor) -> None:
    micro = build_stylizer("micro", torch.device("cpu"))
    plate = torch.nn.functional.interpolate(photograph, size=(360, 480), mode="bicubic").clamp(0, 1)
    painting, everywhere = photograph.flip(-1) ** 2, torch.ones_like(plate[:, :1])
    style = micro.style(painting)
    assert len(windows(everywhere)) > 1
    whole, sampled = (
        micro(plate, micro.transfer(samples, style))
        for samples in (lambda: [(plate, everywhere)], lambda: seen_through(plate, everywhere))
    )
    moved = (whole - plate).abs().mean()
    assert 0 < (sampled - whole).abs().mean() < 0.1 * moved
