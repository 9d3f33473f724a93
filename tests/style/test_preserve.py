"""What a style leaves of the plate when it is told to, on photographs."""

import cv2
import pytest
import skimage.data
import torch
from torch import Tensor

from vidstyle.choices import PRESERVED
from vidstyle.evaluate.structure import gradient_correlation, ssim_map
from vidstyle.style.preserve import RADIUS, preserved

LUMA = torch.tensor((0.2126, 0.7152, 0.0722))[:, None, None]


def picture(pixels) -> Tensor:
    small = cv2.resize(pixels, (128, 96), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(small).permute(2, 0, 1)[None] / 255


@pytest.fixture(scope="module")
def plate() -> Tensor:
    return picture(skimage.data.astronaut())


@pytest.fixture(scope="module")
def styled(plate: Tensor) -> Tensor:
    """Another picture's strokes and colours laid over the plate, as strong as a style's."""
    return torch.lerp(plate, picture(skimage.data.coffee()).flip(3), 0.5)


@pytest.mark.parametrize("kind", PRESERVED)
def test_no_change_stays_none_and_the_range_is_kept(kind: str, plate, styled) -> None:
    torch.testing.assert_close(preserved(kind, plate, plate), plate, atol=1e-5, rtol=0)
    for extreme in (styled, 1 - plate, torch.zeros_like(plate), torch.ones_like(plate)):
        result = preserved(kind, plate, extreme)
        assert 0 <= float(result.min()) <= float(result.max()) <= 1


def test_color_has_the_styles_luma_and_the_plates_hue(plate, styled) -> None:
    result = preserved("color", plate, styled)
    luma = (result * LUMA).sum(1, keepdim=True)
    torch.testing.assert_close(luma, (styled * LUMA).sum(1, keepdim=True), atol=1e-5, rtol=0)
    own, wanted = result - luma, plate - (plate * LUMA).sum(1, keepdim=True)
    strong = (wanted.norm(dim=1) > 0.1) & (own.norm(dim=1) > 0.02)
    assert strong.float().mean() > 0.3
    assert float(torch.cosine_similarity(own, wanted, dim=1)[strong].min()) > 0.999
    assert float((own.norm(dim=1) - wanted.norm(dim=1)).max()) < 1e-4


def test_structure_keeps_edges_and_takes_tones(plate, styled) -> None:
    result = preserved("structure", plate, styled)
    everywhere = torch.ones_like(plate[:, :1])
    assert gradient_correlation(styled, plate, everywhere) < 0.9
    assert gradient_correlation(result, plate, everywhere) > 0.97
    assert ssim_map(result, plate)[0].mean() > ssim_map(styled, plate)[0].mean() + 0.1
    means = [torch.nn.functional.avg_pool2d(x, 32) for x in (plate, styled, result)]
    assert (means[2] - means[1]).abs().mean() < 0.2 * (means[0] - means[1]).abs().mean()


def test_structure_never_turns_an_edge_over(plate) -> None:
    everywhere = torch.ones_like(plate[:, :1])
    assert gradient_correlation(1 - plate, plate, everywhere) < -0.99
    assert gradient_correlation(preserved("structure", plate, 1 - plate), plate, everywhere) > 0.8


def test_a_pixel_depends_on_those_near_it_alone(plate, styled) -> None:
    reach = 2 * RADIUS
    whole = preserved("structure", plate, styled)[..., 20 + reach : -reach, 16 + reach : -reach]
    cut = (..., slice(20, None), slice(16, None))
    part = preserved("structure", plate[cut], styled[cut])[..., reach:-reach, reach:-reach]
    torch.testing.assert_close(part, whole, atol=1e-5, rtol=0)
