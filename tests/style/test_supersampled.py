"""Painting small objects larger than they are."""

from pathlib import Path

import numpy as np
import pytest
import skimage
import torch
from torch import Tensor

from vidstyle.style.build import build_stylizer
from vidstyle.style.supersampled import SEEN_PIXELS, Supersampled, fitting_factor

CPU = torch.device("cpu")


def picture(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255


@pytest.mark.parametrize(
    ("pixels", "factor"),
    [(1, 3), (SEEN_PIXELS // 9, 3), (SEEN_PIXELS // 9 + 1, 2), (SEEN_PIXELS // 4 + 1, 1)],
)
def test_what_is_painted_is_no_larger_than_a_small_frame(pixels: int, factor: int) -> None:
    assert fitting_factor(pixels) == factor
    assert factor == 1 or factor**2 * pixels <= SEEN_PIXELS


def test_a_small_face_keeps_more_of_its_shape() -> None:
    """Of a face of 70 pixels, by what its brightness has in common with the plate's at the size
    of its eyes."""
    face = picture(np.ascontiguousarray(skimage.data.astronaut()[64:184, 160:280]))
    small = torch.nn.functional.interpolate(face, size=(72, 72), mode="area")
    model = Supersampled(build_stylizer("micro", CPU))
    painting = picture(skimage.data.coffee())
    style = model.read_style(Path("coffee.png"), lambda: painting)
    everything = torch.ones_like(small[:, :1])

    def likeness(factor: int) -> float:
        frozen = model.transfer(lambda: [(small, everything)], style, factor)
        eyes = [_eyes(each) for each in (model(small, frozen), small)]
        return float(torch.corrcoef(torch.stack(eyes))[0, 1])

    assert likeness(2) > likeness(1) + 0.1


def _eyes(face: Tensor) -> Tensor:
    """Brightness at scales of three to nine pixels, flat."""
    luma = face.mean(1, keepdim=True)
    fine, coarse = (
        torch.nn.functional.avg_pool2d(luma, n, 1, n // 2, count_include_pad=False) for n in (3, 9)
    )
    return (fine - coarse).flatten()
