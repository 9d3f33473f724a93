"""One object painted: where, how large, and with what of it."""

import cv2
import numpy as np
import pytest
import skimage.data
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.media.frame import luma
from vidstyle.painter import painter
from vidstyle.painter.painter import STYLE_SIDE, Painter, detail_of
from vidstyle.painter.synthesis import Known
from vidstyle.perceptual.network import MicroPerceptual

SIZE = (120, 160)


@pytest.fixture(scope="module")
def network() -> MicroPerceptual:
    return MicroPerceptual()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Painted in a second."""
    monkeypatch.setattr(painter, "PIXELS", 110 * 90)


def style(scale: float) -> Tensor:
    side = round(STYLE_SIDE * scale / 5)
    picture = cv2.resize(skimage.data.coffee(), (side, side), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(picture).movedim(-1, 0)[None].float() / 255


def face() -> tuple[Tensor, Tensor]:
    """A light oval with two dark eyes on a grey ground, and its matte."""
    picture, matte = np.full((*SIZE, 3), 0.4, np.float32), np.zeros(SIZE, np.float32)
    cv2.ellipse(matte, (80, 60), (34, 42), 0, 0, 360, 1, -1)
    picture[matte > 0] = (0.9, 0.75, 0.6)
    for x in (66, 94):
        cv2.circle(picture, (x, 48), 4, (0.1, 0.1, 0.1), -1)
    return torch.from_numpy(picture).movedim(-1, 0)[None], torch.from_numpy(matte)[None, None]


def test_only_the_box_around_the_object_is_painted(network: MicroPerceptual) -> None:
    plate, matte = face()
    rounds: list[int] = []
    brush = Painter(style, network)
    paint = brush(plate, matte, advance=rounds.append)
    assert paint.shape == plate.shape
    assert sum(rounds) == brush.rounds
    assert torch.equal(paint[..., :20], plate[..., :20])
    assert (paint - plate).abs()[..., matte[0, 0] > 0].mean() > 0.05


def test_eyes_are_told(network: MicroPerceptual) -> None:
    """They are dark in the painting, against what is around them."""
    plate, matte = face()
    detail = detail_of(plate, matte)
    assert detail[..., 48, 66] > 2 * detail[..., 75, 80]
    paint = luma(Painter(style, network)(plate, matte))
    for x in (66, 94):
        eye = paint[..., 46:51, x - 2 : x + 3].mean()
        around = paint[..., 62:72, x - 6 : x + 7].mean()
        assert eye < 0.7 * around


def test_what_is_known_stays(network: MicroPerceptual) -> None:
    plate, matte = face()
    known = Known(torch.rand(1, 3, *SIZE), torch.zeros_like(matte))
    known.cover[..., :80] = 1
    paint = Painter(style, network)(plate, matte, known)
    assert torch.equal(paint[..., :80], known.paint[..., :80])
    inside = matte[0, 0, :, 80:] > 0
    assert (paint - known.paint)[..., 80:][..., inside].abs().mean() > 0.05


def test_bold_strokes_leave_less_fine_variation(network: MicroPerceptual) -> None:
    plate, matte = face()
    roughness = []
    for strokes in (1.0, 2.0):
        paint = Painter(style, network, strokes, structure=0.2)(plate, matte)[0].mean(0)
        fine = paint - torch.from_numpy(cv2.GaussianBlur(paint.numpy(), (0, 0), 1.0))
        roughness.append(float(fine[matte[0, 0] > 0].std()))
    assert 0 < roughness[1] < roughness[0]


def test_a_small_object_is_painted_enlarged(network: MicroPerceptual) -> None:
    plate, matte = face()
    tiny, its = (F.interpolate(each, (60, 80), mode="area") for each in (plate, matte))
    seen: list[int] = []
    hook = network.register_forward_hook(
        lambda _module, given, _seen: seen.append(given[0].shape[2])
    )
    Painter(style, network)(tiny, its)
    hook.remove()
    assert max(side for side in seen if side != STYLE_SIDE // 5) > 1.2 * 60


def test_a_thread_is_painted_too(network: MicroPerceptual) -> None:
    """An object too thin to be seen at the coarse scales."""
    plate, matte = torch.full((1, 3, *SIZE), 0.5), torch.zeros(1, 1, *SIZE)
    plate[..., 60, 20:140], matte[..., 60, 20:140] = 0.9, 1
    paint = Painter(style, network)(plate, matte)
    assert torch.isfinite(paint).all()
    assert 0 <= float(paint.min()) <= float(paint.max()) <= 1


def test_of_one_colour_a_style_gives_one_colour(network: MicroPerceptual) -> None:
    plate, matte = face()
    red = torch.tensor([0.8, 0.1, 0.1])[:, None, None].expand(1, 3, 100, 100)
    paint = Painter(lambda _scale: red, network)(plate, matte)
    inside = matte[0, 0] > 0
    assert (paint[0, 0] - paint[0, 1])[inside].min() > 0.6
