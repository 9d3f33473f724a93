"""The stylizer: frozen statistics, batches, boxes; and what the bundled model must do."""

import pytest
import skimage.data
import torch
from torch import Tensor

from vidstyle.evaluate.clipping import allowed, clipped
from vidstyle.models import weights
from vidstyle.style.build import build_stylizer
from vidstyle.style.stylizer import Stylizer, Transfer

CPU = torch.device("cpu")


def frozen(stylizer: Stylizer, plate: Tensor, painting: Tensor) -> Transfer:
    """From all of the plate to the painting."""
    return stylizer.transfer(
        lambda: [(plate, torch.ones_like(plate[:, :1]))], stylizer.style(painting)
    )


@pytest.fixture(scope="session")
def stylizer() -> Stylizer:
    """The bundled model."""
    return build_stylizer("micro", CPU)


@pytest.fixture(scope="session")
def painting() -> Tensor:
    """Not a painting, but as far from the cat as one: cells under a microscope."""
    return torch.from_numpy(skimage.data.immunohistochemistry()).movedim(-1, 0)[None] / 255


def test_what_is_frozen_survives_being_saved(
    stylizer: Stylizer, photograph: Tensor, painting: Tensor
) -> None:
    transfer = frozen(stylizer, photograph, painting)
    again = stylizer.load(
        {name: tensor.clone() for name, tensor in stylizer.save(transfer).items()}
    )
    assert torch.equal(stylizer(photograph, transfer), stylizer(photograph, again))


def test_no_more_white_or_black_than_style_and_plate_have_room_for(
    stylizer: Stylizer, photograph: Tensor, painting: Tensor
) -> None:
    """A painting whose tones lie in the middle of the range bleaches and crushes nothing."""
    middle = 0.25 + 0.5 * painting
    result = stylizer(photograph, frozen(stylizer, photograph, middle))
    room = allowed(clipped(middle), clipped(photograph))
    for share, most in zip(clipped(result), room, strict=True):
        assert share <= most + 0.002


def test_colours_move_to_the_style(
    stylizer: Stylizer, photograph: Tensor, painting: Tensor
) -> None:
    transfer = frozen(stylizer, photograph, painting)
    result = stylizer(photograph, transfer)
    wanted, before = painting.mean((0, 2, 3)), photograph.mean((0, 2, 3))
    after = result.mean((0, 2, 3))
    assert (after - wanted).norm() < 0.35 * (before - wanted).norm()


def test_a_batch_equals_its_frames(
    stylizer: Stylizer, photograph: Tensor, painting: Tensor
) -> None:
    transfer = frozen(stylizer, photograph, painting)
    pair = torch.cat([photograph, photograph.flip(-1)])
    singles = torch.cat([stylizer(one[None], transfer) for one in pair])
    torch.testing.assert_close(stylizer(pair, transfer), singles, atol=1e-4, rtol=0)


def test_bfloat16_paints_the_same_to_a_level(
    stylizer: Stylizer, photograph: Tensor, painting: Tensor
) -> None:
    other = build_stylizer("micro", CPU, bfloat16=True)
    wanted, got = (
        each(photograph, frozen(each, photograph, painting)) for each in (stylizer, other)
    )
    assert 0 < (got - wanted).abs().mean() < 1 / 255


def test_a_box_with_its_margin_equals_the_frame(stylizer: Stylizer, painting: Tensor) -> None:
    check_box(stylizer, painting)


@pytest.mark.weights
def test_a_box_with_its_margin_equals_the_frame_for_vgg19(painting: Tensor) -> None:
    if weights.find("vgg19") is None:
        pytest.skip("no vgg19 on this machine")
    check_box(build_stylizer("vgg19", CPU), painting)


def check_box(stylizer: Stylizer, painting: Tensor) -> None:
    """What lies beyond the margin changes a pixel by less than half an 8-bit level on average."""
    plate = painting[..., :400, :480].flip(-1)
    transfer = frozen(stylizer, plate, painting)
    whole = stylizer(plate, transfer)
    crop = stylizer(plate[..., 16:384, 40:440], transfer)
    inner = (..., *(slice(stylizer.margin, -stylizer.margin),) * 2)
    difference = (whole[..., 16:384, 40:440] - crop)[inner].abs()
    assert difference.mean() < 0.5 / 255
    assert difference.max() < 4 / 255


def test_strength_is_a_dial_that_starts_at_the_plate(
    stylizer: Stylizer, photograph: Tensor, painting: Tensor
) -> None:
    transfer = frozen(stylizer, photograph, painting)
    changes = [
        float((stylizer(photograph, transfer, strength) - photograph).abs().mean())
        for strength in (0.0, 0.3, 0.6, 1.0)
    ]
    assert changes[0] < 1e-6
    assert changes == sorted(changes)


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (9, 17), (63, 101)])
def test_any_size(stylizer: Stylizer, painting: Tensor, size: tuple[int, int]) -> None:
    plate = painting[..., : size[0], : size[1]]
    result = stylizer(plate, frozen(stylizer, plate, painting))
    assert result.shape == plate.shape
    assert torch.isfinite(result).all()


@pytest.mark.gpu
def test_cuda_agrees_with_the_cpu(photograph: Tensor, painting: Tensor) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    results = []
    for device in (CPU, torch.device("cuda")):
        there = build_stylizer("micro", device)
        transfer = frozen(there, photograph, painting)
        results.append(there(photograph, transfer).cpu())
    torch.testing.assert_close(results[0], results[1], atol=4 / 255, rtol=0)
