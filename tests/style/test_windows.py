"""Windows: they are spread over a large picture, and what they tell of it is nearly the whole."""

import pytest
import torch
from torch import Tensor

from vidstyle.style import windows as module
from vidstyle.style.build import build_stylizer
from vidstyle.style.pyramid import GRID
from vidstyle.style.windows import SIDE, WINDOWS, seen_through, windows


@pytest.mark.parametrize("size", [(3000, 4000), (4320, 7680), (9000, 1000), (90, 90_000)])
def test_they_lie_apart_in_the_picture(size: tuple[int, int]) -> None:
    boxes = windows(size)
    assert len(boxes) == pytest.approx(WINDOWS, rel=0.2)
    covered = torch.zeros(size, dtype=torch.uint8)
    for box in boxes:
        assert box.x0 % GRID == box.y0 % GRID == 0
        assert 0 < box.width <= SIDE
        assert 0 < box.height <= SIDE
        covered[box.rows, box.columns] += 1
    assert covered.max() == 1
    quarters = [part.float().mean() for half in covered.chunk(2) for part in half.chunk(2, dim=1)]
    assert min(quarters) > 0.8 * max(quarters)


def test_a_picture_of_film_size_is_seen_whole() -> None:
    assert [(box.width, box.height) for box in windows((1080, 1920))] == [(1920, 1080)]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows for a small picture."""
    for name, value in (("SIDE", 64), ("RIM", 8), ("WINDOWS", 12)):
        monkeypatch.setattr(module, name, value)


@pytest.mark.usefixtures("small")
def test_only_windows_with_the_object_are_looked_at() -> None:
    picture, matte = torch.rand(1, 3, 400, 400), torch.zeros(1, 1, 400, 400)
    matte[..., :200, :200] = 1
    samples = list(seen_through(picture, matte))
    assert 2 <= len(samples) < 9
    for part, inside in samples:
        assert part.shape[2:] == inside.shape[2:] == (64, 64)
        assert inside[..., 0, :].sum() == inside[..., :, -1].sum() == 0
    speck = torch.zeros_like(matte)
    speck[..., 0, 0] = 1
    ((whole, inside),) = seen_through(picture, speck)
    assert whole is picture
    assert inside is speck


@pytest.mark.usefixtures("small")
def test_the_result_is_nearly_that_of_every_pixel(photograph: Tensor) -> None:
    stylizer = build_stylizer("micro", torch.device("cpu"))
    plate = torch.nn.functional.interpolate(photograph, size=(360, 480), mode="bicubic").clamp(0, 1)
    painting, everywhere = photograph.flip(-1) ** 2, torch.ones_like(plate[:, :1])
    style = stylizer.style(painting)
    whole, sampled = (
        stylizer(plate, stylizer.transfer(samples, style))
        for samples in (lambda: [(plate, everywhere)], lambda: seen_through(plate, everywhere))
    )
    moved = (whole - plate).abs().mean()
    assert 0 < (sampled - whole).abs().mean() < 0.1 * moved
