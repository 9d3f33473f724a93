"""Gradient correlation, and likeness without detail, on photographs."""

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from torch import Tensor

from vidstyle.evaluate.structure import gradient_correlation, low_passed_ssim, ssim_map


@pytest.fixture(scope="module")
def plate() -> Tensor:
    small = cv2.resize(skimage.data.astronaut(), (96, 96), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(small).permute(2, 0, 1)[None] / 255


def test_tones_do_not_matter_and_places_do(plate: Tensor) -> None:
    everywhere = torch.ones(1, 1, 96, 96)
    assert gradient_correlation(0.2 + 0.5 * plate, plate, everywhere) == pytest.approx(1)
    assert gradient_correlation(1 - plate, plate, everywhere) == pytest.approx(-1)
    moved = plate.roll(9, dims=3)
    assert abs(gradient_correlation(moved, plate, everywhere)) < 0.2
    noise = torch.rand(plate.shape, generator=torch.Generator().manual_seed(0))
    assert gradient_correlation(noise, plate, everywhere) < 0.1


def test_only_the_mask_counts(plate: Tensor) -> None:
    mask = torch.zeros(1, 1, 96, 96)
    mask[..., 20:60, 20:60] = 1
    changed = plate.clone()
    changed[..., 70:, :] = 0
    assert gradient_correlation(changed, plate, mask) == pytest.approx(1)


def test_of_a_flat_picture_nothing_is_known(plate: Tensor) -> None:
    assert np.isnan(gradient_correlation(torch.ones_like(plate), plate, torch.ones(1, 1, 96, 96)))


def test_without_detail_brush_strokes_are_no_fault_and_other_places_are(plate: Tensor) -> None:
    assert low_passed_ssim(plate, plate) == pytest.approx(1)
    grain = torch.randn(plate.shape, generator=torch.Generator().manual_seed(0))
    strokes = (plate + 0.1 * grain).clamp(0, 1)
    values, whole = ssim_map(strokes, plate)
    assert float((values * whole).sum() / whole.sum()) < 0.7
    assert low_passed_ssim(strokes, plate) > 0.98
    assert low_passed_ssim(plate.flip(3), plate) < 0.6
    assert low_passed_ssim(strokes, plate, sigma=0.5) < 0.9
