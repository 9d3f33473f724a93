"""Detail: the plate's fine luminance in place of the painting's, and nothing else of it."""

import skimage.data
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.media.frame import luma
from vidstyle.style.detail import with_detail


def picture(pixels: object) -> Tensor:
    """(1, 3, 128, 128) in [0.2, 0.8], so that nothing is clipped."""
    return 0.2 + 0.6 * torch.from_numpy(pixels[100:228, 100:228]).movedim(-1, 0)[None] / 255


PLATE, PAINTING = picture(skimage.data.astronaut()), picture(skimage.data.coffee())


def fine(image: Tensor) -> Tensor:
    """What the mean over 3×3 pixels has not."""
    light = luma(image)
    return light - F.avg_pool2d(light, 3, 1, 1, count_include_pad=False)


def test_none_leaves_the_painting_and_a_plate_is_itself() -> None:
    assert with_detail(0, PLATE, PAINTING) is PAINTING
    torch.testing.assert_close(with_detail(1, PLATE, PLATE), PLATE)


def test_all_of_it_is_the_plates_fine_structure_in_the_paintings_colours() -> None:
    result = with_detail(1, PLATE, PAINTING)
    assert (fine(result) - fine(PLATE)).square().mean() < 0.05 * fine(PLATE).square().mean()
    coarse = [F.avg_pool2d(image, 32) for image in (result, PAINTING)]
    torch.testing.assert_close(*coarse, atol=0.02, rtol=0)
    colour = [image - luma(image) for image in (result, PAINTING)]
    torch.testing.assert_close(*colour, atol=0.02, rtol=0)


def test_it_is_a_dial() -> None:
    half, whole = (with_detail(amount, PLATE, PAINTING) for amount in (0.5, 1.0))
    torch.testing.assert_close(half, (PAINTING + whole) / 2, atol=1e-5, rtol=0)
