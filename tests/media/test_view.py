"""Plates of a known colour space: what is seen of them, and what comes back."""

import numpy as np
import pytest
import torch
from torch import Tensor

from vidstyle.media.colour_management import Management
from vidstyle.media.ocio import BUILT_IN, Config
from vidstyle.media.view import HEADROOM, CodeValues, View, recovered

pytest.importorskip("PyOpenColorIO")

SPACES = ("ACEScg", "Linear Rec.709 (sRGB)", "ARRI LogC3 (EI800)", "sRGB - Texture")


@pytest.fixture(scope="module")
def config() -> Config:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OCIO", raising=False)
        return Config()


def view(config: Config, space: str) -> View:
    return Management(config, space).view()


def footage() -> Tensor:
    """(1, 40, 50, 3) scene-linear: shadows with grain about zero, mid-tones, lights up to 100,
    colours outside any display's gamut."""
    rng = np.random.default_rng(0)
    ranges = ((-0.03, 0.03), (0, 1), (0, 100), (-0.5, 5))
    light = np.concatenate([rng.uniform(*ends, 500) for ends in ranges])
    colours = light[:, None] * rng.uniform(0.7, 1, (2000, 3))
    return torch.from_numpy(rng.permutation(colours).reshape(1, 40, 50, 3).astype(np.float32))


def whole(plates: Tensor) -> Tensor:
    return torch.ones(1, 1, *plates.shape[1:3])


@pytest.mark.parametrize("space", SPACES[:2])
def test_paint_that_changes_nothing_returns_lights_shadows_and_negatives(config, space):
    plates, through = footage(), view(config, space)
    seen = through.see(plates)
    assert seen.shape == (1, 3, 40, 50)
    assert (float(seen.min()), float(seen.max())) == (0, 1)
    back = through.composite(plates, plates, seen, whole(plates))
    error = (back - plates).abs() / (plates.abs() + 0.01)
    assert error.max() < 1e-3


@pytest.mark.parametrize("space", SPACES[2:])
def test_sixteen_bit_codes_come_back_to_a_level(config, space):
    ramp = torch.arange(0, 65536, 13, dtype=torch.int32)
    plates = ramp[None, None, :, None].repeat(1, 2, 1, 3).to(torch.uint16)
    through = view(config, space)
    back = through.composite(plates, plates, through.see(plates), whole(plates))
    assert (back.int() - plates.int()).abs().max() <= 1


@pytest.mark.parametrize("space", SPACES)
def test_outside_the_matte_not_a_bit_changes(config, space):
    plates = footage()
    if space in SPACES[2:]:
        plates = (plates.clamp(0, 1) * 65535).int().to(torch.uint16)
    matte = torch.zeros(1, 1, 40, 50)
    matte[..., 10:20, 10:20] = 0.5
    painted = torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(0))
    result = view(config, space).composite(plates, plates, painted, matte)
    outside = matte[:, 0] == 0
    assert torch.equal(result[outside].int(), plates[outside].int())
    assert result.dtype == plates.dtype
    assert (result[~outside].float() != plates[~outside].float()).any(dim=1).all()


def test_edges_are_mixed_in_light(config):
    black, white = torch.zeros(1, 1, 1, 3), torch.ones(1, 3, 1, 1)
    half = torch.full((1, 1, 1, 1), 0.5)
    codes = torch.zeros(1, 1, 1, 3, dtype=torch.uint16)
    mixed = view(config, "sRGB - Texture").composite(codes, codes, white, half)
    # Half the light of sRGB's white is code 188 of 255; half the code is 128.
    assert mixed.float().mean() / 257 == pytest.approx(187.5, abs=0.5)
    assert CodeValues().composite(codes, codes, white, half).float().mean() == 32768
    linear = view(config, "Linear Rec.709 (sRGB)")
    full = linear.composite(black, black, white, torch.ones(1, 1, 1, 1))
    assert torch.allclose(linear.composite(black, black, white, half), full / 2)


def test_a_white_stroke_is_no_lamp(config):
    through = view(config, "ACEScg")
    plates = torch.full((1, 1, 1, 3), 0.18)
    white = through.composite(plates, plates, torch.ones(1, 3, 1, 1), torch.ones(1, 1, 1, 1))
    assert 1 < float(white.max()) <= HEADROOM
    assert np.ptp(white.numpy()) < 1e-3
    grey = torch.full((1, 3, 1, 1), 0.5)
    assert through.composite(plates, plates, grey, torch.ones(1, 1, 1, 1)).max() < 0.5


def test_paint_over_a_light_shines_like_the_light():
    plate = np.array([[60, 40, 30]], np.float32)
    shown = np.array([[15, 15, 15]], np.float32)
    blue = np.array([[0.1, 0.1, 3]], np.float32)
    (result,) = recovered(plate, shown, blue)
    assert result[2] == result.max() > blue.max()
    assert result.min() >= 0
    assert (recovered(plate, shown, shown) == plate).all()


def test_what_is_not_finite_stays(config):
    plates = torch.tensor([[[[float("inf"), 0.2, 0.2], [float("nan"), 0.2, 0.2]]]])
    through = view(config, "ACEScg")
    assert through.see(plates).isfinite().all()
    result = through.composite(plates, plates, torch.rand(1, 3, 1, 2), torch.zeros(1, 1, 1, 2))
    assert torch.equal(torch.nan_to_num(result), torch.nan_to_num(plates))


def test_an_element_over_the_plate_is_the_render(config):
    generator = torch.Generator().manual_seed(1)
    plates = footage()[:, :8, :8]
    painted = torch.rand(1, 3, 8, 8, generator=generator)
    matte = torch.rand(1, 1, 8, 8, generator=generator)
    for through in (view(config, "ACEScg"), CodeValues()):
        render = through.composite(plates, plates, painted, matte)
        element = through.composite(torch.zeros(1, 8, 8, 4), plates, painted, matte)
        alpha = element[..., 3:]
        assert torch.allclose(alpha[..., 0], matte[:, 0])
        assert torch.allclose(element[..., :3] + (1 - alpha) * plates, render, atol=1e-4)


def test_a_config_by_the_environment_wins(monkeypatch):
    other = "ocio://cg-config-v1.0.0_aces-v1.3_ocio-v2.1"
    monkeypatch.setenv("OCIO", other)
    assert Config().name == other
    monkeypatch.delenv("OCIO")
    assert Config().name == BUILT_IN
