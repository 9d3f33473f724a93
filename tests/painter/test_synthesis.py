"""Pictures painted with patches of others: what of either is seen in them."""

import cv2
import numpy as np
import pytest
import skimage.data
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.media.frame import luma
from vidstyle.painter.synthesis import Known, Subject, synthesised

SIZE = (72, 84)


def see(picture: Tensor) -> Tensor:
    """A network that sees colours of 4×4 pixels."""
    return F.avg_pool2d(picture, 4)


def photograph(picture: np.ndarray, size: tuple[int, int]) -> Tensor:
    """(1, 3, H, W) in [0, 1]."""
    small = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA)
    return torch.from_numpy(small).movedim(-1, 0)[None].float() / 255


@pytest.fixture(scope="module")
def style() -> Tensor:
    return photograph(skimage.data.coffee(), (60, 90))


@pytest.fixture(scope="module")
def subject() -> Subject:
    """An astronaut's head and shoulders, in an oval."""
    picture = photograph(skimage.data.astronaut()[:300, 60:410], SIZE)
    oval = cv2.ellipse(np.zeros(SIZE, np.float32), (42, 36), (34, 30), 0, 0, 360, 1, -1)
    matte = torch.from_numpy(oval)[None, None]
    return Subject(picture, matte, torch.zeros_like(matte))


def painted(subject: Subject, style: Tensor, structure: float = 0.5, seed: int = 0) -> Tensor:
    return synthesised(subject, style, see, structure, seed)


def likeness_of_edges(one: Tensor, other: Tensor, matte: Tensor) -> float:
    """Correlation of gradients' lengths within the matte."""
    inside = cv2.erode(matte[0, 0].numpy(), np.ones((9, 9))) > 0.5
    lengths = []
    for picture in (one, other):
        grey = cv2.GaussianBlur(luma(picture)[0, 0].numpy(), (0, 0), 1.0)
        gradients = (cv2.Sobel(grey, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
        lengths.append(np.hypot(*gradients)[inside])
    return float(np.corrcoef(*lengths)[0, 1])


def test_the_object_is_painted_and_nothing_else(subject: Subject, style: Tensor) -> None:
    paint = painted(subject, style)
    assert paint.shape == (1, 3, *SIZE)
    assert 0 <= float(paint.min()) <= float(paint.max()) <= 1
    away = F.max_pool2d(subject.matte, 25, 1, 12) == 0
    assert torch.equal(paint[:, :, away[0, 0]], subject.picture[:, :, away[0, 0]])
    inside = subject.matte[0, 0] > 0
    assert (paint - subject.picture).abs()[..., inside].mean() > 0.05


def test_paint_is_the_styles(subject: Subject) -> None:
    """Of a style that is red and blue stripes nothing gets green, whatever the picture is."""
    stripes = torch.zeros(1, 3, 60, 90)
    stripes[:, 0, :, ::8], stripes[:, 2] = 1, 0.5
    paint = painted(subject, stripes)
    inside = subject.matte[0, 0] > 0
    assert subject.picture[:, 1][..., inside].mean() > 0.3
    assert paint[:, 1][..., inside].max() < 0.01


def test_a_seed_is_a_painting(subject: Subject, style: Tensor) -> None:
    assert torch.equal(painted(subject, style), painted(subject, style))
    other = painted(subject, style, seed=1)
    assert (painted(subject, style) - other).abs().mean() > 0.01


def test_structure_keeps_edges(subject: Subject, style: Tensor) -> None:
    """Measured against the picture: the correlation of their gradients."""
    told = Subject(subject.picture, subject.matte, 0.5 * subject.matte)
    none, half, whole = (
        likeness_of_edges(painted(told, style, structure), subject.picture, subject.matte)
        for structure in (0.0, 0.5, 1.0)
    )
    assert none + 0.1 < half < whole


def test_detail_is_kept_where_it_is(subject: Subject, style: Tensor) -> None:
    """The left half is said to be full of it, the right one to have none."""
    left = subject.matte.clone()
    left[..., 42:] = 0
    detailed = painted(Subject(subject.picture, subject.matte, left), style)
    plain = painted(subject, style)

    def gap(paint: Tensor, where: Tensor) -> float:
        return float((paint - subject.picture).abs()[..., where[0, 0] > 0].mean())

    assert gap(detailed, left) < 0.8 * gap(plain, left)


def test_an_even_picture_does_not_tile(style: Tensor) -> None:
    """Of a grey picture no part is another's copy."""
    grey = torch.full((1, 3, 64, 64), float(style.mean()))
    whole = torch.ones(1, 1, 64, 64)
    paint = painted(Subject(grey, whole, torch.zeros_like(whole)), style)[0]
    tiles = paint.unfold(1, 8, 8).unfold(2, 8, 8).flatten(3).permute(1, 2, 0, 3).flatten(0, 1)
    apart = torch.cdist(tiles.flatten(1), tiles.flatten(1)) + torch.eye(len(tiles))
    assert apart.min() > 0.05


def test_what_is_known_is_gone_on_from(subject: Subject, style: Tensor) -> None:
    """Where half of it is painted already, the other half fits to that at the seam."""
    first = painted(subject, style, seed=3)
    cover = subject.matte.clone()
    cover[..., 42:] = 0
    on = painted(
        Subject(subject.picture, subject.matte, subject.detail, Known(first, cover)), style
    )
    known = (cover > 0)[0, 0]
    apart = painted(subject, style, seed=4)
    assert (on - first).abs()[..., known].mean() < 0.5 * (apart - first).abs()[..., known].mean()


def test_patches_are_taken_from_a_larger_style(subject: Subject) -> None:
    """Chosen at one size, laid at twice that: sharper than its enlargement."""
    large = photograph(skimage.data.coffee(), (120, 180))
    small = synthesised(subject, F.avg_pool2d(large, 2), see, 0.5, 0)
    twice = synthesised(subject, large, see, 0.5, 0, magnified=2)
    assert twice.shape == (1, 3, 2 * SIZE[0], 2 * SIZE[1])
    assert (F.avg_pool2d(twice, 2) - small).abs().mean() < 0.03
    enlarged = F.interpolate(small, scale_factor=2, mode="bicubic")

    def sharpness(picture: Tensor) -> float:
        return float((luma(picture)[..., 1:] - luma(picture)[..., :-1]).abs().mean())

    assert sharpness(twice) > 1.1 * sharpness(enlarged)
