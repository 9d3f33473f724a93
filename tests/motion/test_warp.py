"""Warping against flows that are known exactly."""

from typing import Literal

import pytest
import torch
from torch import Tensor

from vidstyle.motion.warp import inside, warp

Mode = Literal["bicubic", "bilinear", "nearest"]
MODES: tuple[Mode, ...] = ("bicubic", "bilinear", "nearest")


def uniform(x: float, y: float, size: tuple[int, int]) -> Tensor:
    return torch.tensor([x, y])[None, :, None, None].expand(1, 2, *size)


@pytest.mark.parametrize("mode", MODES)
def test_whole_pixels_are_moved_as_they_are(photograph: Tensor, mode: Mode) -> None:
    moved = warp(photograph, uniform(7, -3, (400, 600)), mode)
    torch.testing.assert_close(moved[..., 3:, :-7], photograph[..., :-3, 7:], atol=2e-4, rtol=0)


def test_a_smooth_picture_is_sampled_between_its_pixels() -> None:
    rows, columns = torch.meshgrid(torch.arange(60.0), torch.arange(80.0), indexing="ij")
    flow = torch.stack([0.3 * torch.sin(rows / 9), 0.4 * torch.cos(columns / 7) + 1.5])[None]

    def wave(x: Tensor, y: Tensor) -> Tensor:
        return torch.sin(x / 6) * torch.cos(y / 5)

    image = wave(columns, rows)[None, None]
    truth = wave(columns + flow[0, 0], rows + flow[0, 1])[None, None]
    held = inside(flow)[..., 3:-5, 3:-3].bool()
    for mode, bound in (("bicubic", 3e-3), ("bilinear", 8e-3)):
        error = (warp(image, flow, mode) - truth)[..., 3:-5, 3:-3][held]
        assert error.abs().max() < bound


def test_twenty_bicubic_steps_keep_detail_and_do_not_ring(photograph: Tensor) -> None:
    there, back = uniform(0.5, 0.25, (400, 600)), uniform(-0.5, -0.25, (400, 600))
    kept: dict[str, float] = {}
    for mode in MODES[:2]:
        image = photograph
        for _ in range(10):
            image = warp(warp(image, there, mode), back, mode)
        kept[mode] = float((image - photograph)[..., 16:-16, 16:-16].square().mean())
        assert image.min() > -0.1
        assert image.max() < 1.1
    assert kept["bicubic"] < 0.5 * kept["bilinear"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1)])
def test_thin_pictures_and_samples_outside_take_the_border(
    mode: Mode, size: tuple[int, int]
) -> None:
    image = torch.rand(1, 4, *size, generator=torch.Generator().manual_seed(3))
    far = warp(image, uniform(1e4, 1e4, size), mode)
    torch.testing.assert_close(far, image[..., -1:, -1:].expand_as(image))


def test_each_picture_of_a_batch_has_its_own_flow(photograph: Tensor) -> None:
    flows = torch.cat([uniform(4, 0, (400, 600)), uniform(0, 6, (400, 600))])
    both = warp(photograph.expand(2, -1, -1, -1), flows, "bilinear")
    for index in range(2):
        alone = warp(photograph, flows[index : index + 1], "bilinear")
        assert torch.equal(both[index : index + 1], alone)


def test_the_dtype_is_kept() -> None:
    image = torch.rand(1, 2, 8, 8).to(torch.float16)
    assert warp(image, torch.zeros(1, 2, 8, 8)).dtype == torch.float16


def test_inside_counts_samples_that_lie_on_a_pixel() -> None:
    held = inside(uniform(2, -1, (5, 7)))
    expected = torch.zeros(1, 1, 5, 7)
    expected[..., 1:, :5] = 1
    assert torch.equal(held, expected)
    assert inside(uniform(0.4, -0.4, (5, 7))).all()
    assert not inside(uniform(0, 0.6, (5, 7)))[..., -1, :].any()
