"""A key carried through a shot whose motion is known: what lands where, and what is admitted."""

import math

import cv2
import numpy as np
import pytest
import torch
from photographs import astronaut, launch_pad
from scenes import Layer, Scene, similarity
from torch import Tensor

from vidstyle.carry.carrier import Carrier, spread
from vidstyle.carry.voting import painted
from vidstyle.media.frame import Box
from vidstyle.motion.dis import DisFlow

SIZE = (160, 240)
WHOLE = Box(0, 0, SIZE[1], SIZE[0])
KEY = 4


def poster(picture: Tensor) -> Tensor:
    """Four flat tones of colour, by lightness, with outlines: what an artist might paint, known
    for every frame."""
    grey = cv2.GaussianBlur(picture[0].mean(0).numpy(), (0, 0), 1.0)
    tones = np.float32([[0.1, 0.1, 0.4], [0.7, 0.2, 0.3], [0.9, 0.7, 0.2], [1.0, 1.0, 0.8]])
    flat = tones[np.clip((grey * 4).astype(int), 0, 3)]
    edges = np.hypot(*(cv2.Sobel(grey, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))) > 0.5
    flat[edges] = 0
    return torch.from_numpy(flat).movedim(-1, 0)[None]


@pytest.fixture(scope="module")
def scene() -> Scene:
    """An astronaut who turns and nears before a launch pad."""
    picture, matte = astronaut(0.25)
    pad = launch_pad(240)
    middle = (len(matte) / 2,) * 2

    def walk(time: float):
        return similarity(
            90 + 4 * time, 80, degrees=3 * math.sin(time), scale=1 + 0.01 * time, pivot=middle
        )

    def still(time: float):  # noqa: ARG001
        return similarity(120, 80, pivot=(pad.shape[1] / 2, pad.shape[0] / 2))

    return Scene([Layer(pad, None, still), Layer(picture, matte, walk)], SIZE)


def seen(scene: Scene, time: int) -> tuple[Tensor, Tensor]:
    """Picture and matte."""
    picture = torch.from_numpy(scene.picture(time)).movedim(-1, 0)[None].float()
    return picture, torch.from_numpy(scene.mattes(time)[1])[None, None].float()


def test_the_key_is_carried_to_where_its_object_went(scene: Scene) -> None:
    image, matte = seen(scene, KEY)
    paint = spread(poster(image), matte)
    carrier = Carrier(image, matte, paint, DisFlow(540))
    for time in range(KEY + 1, KEY + 9):
        image, matte = seen(scene, time)
        field = carrier.step(image, matte)
        assert field is not None
        result, shown = painted(paint, field, WHOLE)
        truth, inside = poster(image), matte > 0.9

        def gap(one: Tensor, inside: Tensor = inside, truth: Tensor = truth) -> float:
            return float(((one - truth).abs().mean(1, keepdim=True))[inside].mean())

        assert gap(result) < 0.35 * gap(image)
        assert shown[inside].mean() > 0.6


def test_what_the_key_does_not_show_is_admitted(scene: Scene) -> None:
    """The half of the object whose colours are new."""
    image, matte = seen(scene, KEY)
    carrier = Carrier(image, matte, spread(poster(image), matte), DisFlow(540))
    image, matte = seen(scene, KEY + 1)
    middle = int((matte[0, 0] > 0.5).nonzero()[:, 1].float().mean())
    image[..., middle:] = (
        image[..., middle:].flip(1).mul(0.5).add(torch.tensor([0, 0.5, 0])[:, None, None])
    )
    field = carrier.step(image, matte)
    assert field is not None
    _, shown = painted(torch.zeros(1, 3, *SIZE), field, WHOLE)
    inside = matte > 0.9
    assert shown[..., : middle - 8][inside[..., : middle - 8]].mean() > 0.6
    assert shown[..., middle + 8 :][inside[..., middle + 8 :]].mean() < 0.3


def test_an_object_that_is_gone_has_no_field_and_is_found_again(scene: Scene) -> None:
    image, matte = seen(scene, KEY)
    paint = spread(poster(image), matte)
    carrier = Carrier(image, matte, paint, DisFlow(540))
    image, matte = seen(scene, KEY + 1)
    assert carrier.step(image, torch.zeros_like(matte)) is None
    image, matte = seen(scene, KEY + 2)
    field = carrier.step(image, matte)
    assert field is not None
    result, _ = painted(paint, field, WHOLE)
    inside, truth = (matte > 0.9)[0, 0], poster(image)
    assert (result - truth).abs()[..., inside].mean() < 0.5 * (image - truth).abs()[
        ..., inside
    ].mean()


def test_a_painted_background_stays_out() -> None:
    paint = torch.zeros(1, 3, 20, 20)
    paint[:, 1] = 1
    paint[:, :, 5:15, 5:15] = torch.tensor([1.0, 0, 0])[:, None, None]
    matte = torch.zeros(1, 1, 20, 20)
    matte[..., 5:15, 5:15] = 1
    assert torch.equal(spread(paint, matte)[0, :, 0, 0], torch.tensor([1.0, 0, 0]))
