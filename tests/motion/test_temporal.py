"""The temporal step: what it steadies, what it must not keep, and how soon it forgets."""

import pytest
import torch
from torch import Tensor

from vidstyle.evaluate.metrics import detail_ratio
from vidstyle.media.frame import Box
from vidstyle.motion.estimate import Motion
from vidstyle.motion.temporal import MEMORY, PULL, STEPS, TOLERANCE, TemporalFilter

H, W = 48, 64
WHOLE = Box(0, 0, W, H)


def moved_by(x: float, y: float, box: Box = WHOLE, confidence: float = 1.0) -> Motion:
    """The same motion everywhere: frame t at (c, r) is frame t − 1 at (c + x, r + y)."""
    flow = torch.tensor([x, y], dtype=torch.float32)[None, :, None, None].expand(
        1, 2, box.height, box.width
    )
    return Motion(flow.contiguous(), torch.full((1, 1, box.height, box.width), confidence))


STILL = moved_by(0, 0)


@pytest.fixture(scope="module")
def picture(photograph: Tensor) -> Tensor:
    """(3, H, W + 40) around 0.5, far from both ends of the range."""
    return 0.3 + 0.4 * photograph[0, :, 100 : 100 + H, 150 : 190 + W]


@pytest.fixture(scope="module")
def photograph() -> Tensor:
    skimage = pytest.importorskip("skimage.data")
    return torch.from_numpy(skimage.coffee().copy()).permute(2, 0, 1)[None] / 255


@pytest.fixture
def random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def noisy(picture: Tensor, random: torch.Generator, sigma: float = 0.02) -> Tensor:
    return picture + sigma * torch.randn(picture.shape, generator=random)


def test_the_first_frame_and_the_first_after_a_reset_come_out_as_they_go_in(
    picture: Tensor, random: torch.Generator
) -> None:
    steady = TemporalFilter()
    frames = [noisy(picture[..., :W], random) for _ in range(3)]
    assert torch.equal(steady.step(frames[0], STILL, WHOLE), frames[0])
    assert not torch.equal(steady.step(frames[1], STILL, WHOLE), frames[1])
    steady.reset()
    assert torch.equal(steady.step(frames[2], STILL, WHOLE), frames[2])


@pytest.mark.parametrize("grain", [1, 8, 32])
def test_in_a_still_scene_noise_falls_as_theory_says_and_the_mean_stays(
    random: torch.Generator, grain: int
) -> None:
    """A recursion with weight λ leaves (1 − λ)/(1 + λ) of the variance; λ depends on the wave."""
    still = torch.full((3, 128, 192), 0.5)
    box = Box(0, 0, 192, 128)
    down, across = torch.fft.fftfreq(128)[:, None], torch.fft.rfftfreq(192)
    squared = 4 - 2 * torch.cos(2 * torch.pi * down) - 2 * torch.cos(2 * torch.pi * across)
    weight = PULL / (PULL / MEMORY + squared)
    steady, motion, left, expected = TemporalFilter(), moved_by(0, 0, box), [], []
    for i in range(40):
        noise = torch.randn(1, 3, 128 // grain, 192 // grain, generator=random)
        noise = 0.01 * torch.nn.functional.interpolate(noise, scale_factor=grain)[0]
        result = steady.step(still + noise, motion, box)
        if i >= 20:
            power = torch.fft.rfft2(noise).abs().square()
            left.append((result - still).square().mean() / noise.square().mean())
            expected.append((power * (1 - weight) / (1 + weight)).sum() / power.sum())
    torch.testing.assert_close(sum(left), sum(expected), rtol=0.15, atol=0)
    assert (result - still).mean().abs() < 0.002


def test_three_hundred_frames_of_a_still_scene_neither_darken_nor_blur(
    picture: Tensor, random: torch.Generator
) -> None:
    """Noise of all grains in the styled frames, and a twentieth of a pixel in the motion."""
    steady, styled, results = TemporalFilter(), [], []
    for i in range(300):
        motion = moved_by(0, 0)
        motion.flow.add_(0.05 * torch.randn(1, 2, H, W, generator=random))
        light = 0.02 * torch.randn(3, 1, 1, generator=random)
        now = (noisy(picture[..., :W], random) + light).clamp(0, 1)
        result = steady.step(now, motion, WHOLE)
        if i >= 200:
            styled.append(now)
            results.append(result)
    expected, mean = torch.stack(styled).mean(dim=0), torch.stack(results).mean(dim=0)
    assert (mean - expected).mean(dim=(1, 2)).abs().max() < 1 / 255
    assert detail_ratio(mean[None], expected[None]).item() > 0.95


def test_a_moving_scene_stays_sharp_and_is_steadied(
    picture: Tensor, random: torch.Generator
) -> None:
    """A pan of 1.3 pixels a frame: sampling between pixels must not soften what it feeds back."""
    steady, still = TemporalFilter(), picture[..., :W]
    clean = TemporalFilter()
    # The scene is smooth enough to be known between its pixels by Fourier's shift theorem.
    for i in range(20):
        now = _shifted(still, 1.3 * i)
        flow = moved_by(-1.3, 0)
        clean_result = clean.step(now, flow, WHOLE)
        result = steady.step(noisy(now, random), flow, WHOLE)
    middle = (..., slice(4, -4), slice(32, -4))
    assert (result - now)[middle].var() < 0.6 * 0.02**2
    assert (clean_result - now)[middle].square().mean().sqrt() < 0.006


def _shifted(picture: Tensor, x: float) -> Tensor:
    """Moved ``x`` pixels to the right, and round about."""
    phase = torch.exp(-2j * torch.pi * torch.fft.rfftfreq(picture.shape[-1]) * x)
    moved: Tensor = torch.fft.irfft(torch.fft.rfft(picture) * phase, n=picture.shape[-1])
    return moved


def test_where_the_past_is_not_trusted_the_new_frame_comes_through(
    picture: Tensor, random: torch.Generator
) -> None:
    steady = TemporalFilter()
    motion = moved_by(0, 0)
    motion.confidence[..., 10:30, 20:40] = 0
    for _ in range(3):
        now = noisy(picture[..., :W], random)
        result = steady.step(now, motion, WHOLE)
    change = (result - now).abs()
    # The correction fades in from the border of what is trusted, within a few pixels.
    assert change[:, 16:24, 26:34].max() < 1 / 255
    assert change[:, 16:24, 26:34].mean() < 0.02 * change[:, :8].mean()


def test_a_past_that_does_not_belong_leaves_no_ghost() -> None:
    """A wrong motion may be trusted; what it brings along must not shine through."""
    steady = TemporalFilter()
    now = torch.linspace(0.2, 0.5, W).expand(3, H, W).contiguous()
    before = now.clone()
    before[:, 15:35, 20:40] = 1.0
    steady.step(before, STILL, WHOLE)
    ghost = steady.step(now, STILL, WHOLE) - now
    assert ghost.max() < MEMORY * (TOLERANCE + 0.01)


@pytest.mark.parametrize("turn", [0, 5, 11])
def test_a_fresh_filter_agrees_after_the_preroll(
    picture: Tensor, random: torch.Generator, turn: int
) -> None:
    """Sixteen frames early is early enough: one 8-bit level, whatever came before."""
    sequential, fresh = TemporalFilter(), TemporalFilter()
    for _ in range(turn):
        sequential.step(noisy(picture[..., 30 : 30 + W], random, 0.3), STILL, WHOLE)
    for _ in range(17):
        now = noisy(picture[..., :W], random, 0.05)
        expected = sequential.step(now, STILL, WHOLE)
        result = fresh.step(now, STILL, WHOLE)
    assert (result - expected).abs().max() < 1 / 255


def test_the_result_stays_in_range(random: torch.Generator) -> None:
    steady = TemporalFilter()
    for _ in range(4):
        now = torch.rand(3, H, W, generator=random).round()
        result = steady.step(now, moved_by(0.5, 0.5), WHOLE)
        assert result.min() >= 0
        assert result.max() <= 1


def test_a_box_that_moves_with_its_object_changes_nothing_inside(
    picture: Tensor, random: torch.Generator
) -> None:
    """Crops of a pan against the whole of it: the same pixels, where the past lies in the crop."""
    whole, cropped = TemporalFilter(), TemporalFilter()
    for i in range(4):
        now = noisy(picture[..., 8 * i : 8 * i + W], random)
        expected = whole.step(now, moved_by(8, 0), WHOLE)
        box = Box(26 - 8 * i, 4, 62 - 8 * i, 44)
        result = cropped.step(now[:, box.rows, box.columns], moved_by(8, 0, box), box)
        inner = (..., slice(12, -12), slice(12, -12))
        torch.testing.assert_close(
            result[inner], expected[:, box.rows, box.columns][inner], rtol=0, atol=1e-4
        )


def test_a_box_that_grows_takes_the_new_frame_where_there_is_no_past(
    picture: Tensor, random: torch.Generator
) -> None:
    steady = TemporalFilter()
    small = Box(16, 12, 40, 36)
    before = noisy(picture[..., :W], random)
    steady.step(before[:, small.rows, small.columns], moved_by(0, 0, small), small)
    now = noisy(picture[..., :W], random)
    changed = steady.step(now, STILL, WHOLE) != now
    assert changed[:, small.rows, small.columns].float().mean() > 0.9
    reached = small.padded(STEPS, 1, (H, W))
    changed[:, reached.rows, reached.columns] = False
    assert not changed.any()


def test_boxes_apart_share_no_past(picture: Tensor, random: torch.Generator) -> None:
    steady = TemporalFilter()
    left, right = Box(0, 0, 20, 20), Box(40, 24, 60, 44)
    now = noisy(picture[..., :W], random)
    steady.step(now[:, left.rows, left.columns], moved_by(0, 0, left), left)
    crop = now[:, right.rows, right.columns]
    assert torch.equal(steady.step(crop, moved_by(0, 0, right), right), crop)
