"""Fades and black bars through the command line: paint fades with the plate, bars stay."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from vidstyle.media.video.reader import open_clip

SHARES = [*[1.0] * 4, 0.75, 0.5, 0.25, 0.0, 0.0]


@pytest.fixture
def render(vidstyle, style_picture, tiny_model, tmp_path: Path) -> Callable[..., np.ndarray]:
    """Renders pictures; the result's frames (N, H, W, 3)."""

    def call(pictures: list[np.ndarray], *options: object, command: str = "render") -> np.ndarray:
        (tmp_path / "plates").mkdir()
        for number, picture in enumerate(pictures):
            cv2.imwrite(str(tmp_path / f"plates/{number:04}.png"), picture[..., ::-1])
        parts = ("--style", style_picture, "--model", tiny_model, "--device", "cpu", *options)
        target = tmp_path / "styled.%04d.png"
        if command == "render":
            runs = [("render", tmp_path / "plates", *parts, "-o", target)]
        else:
            work = ("--work", tmp_path / "work")
            runs = [
                ("analyse", tmp_path / "plates", *parts, "--segment", 4, *work),
                ("segment-render", tmp_path / "plates", "--segments", "0-2", *work),
                ("join", tmp_path / "plates", *work, "-o", target),
            ]
        for run in runs:
            outcome = vidstyle("-q", *run)
            assert outcome.code == 0, outcome.err
        return np.stack([frame.image.numpy() for frame in open_clip(str(target)).frames()])

    return call


def fade(colour: int) -> list[np.ndarray]:
    photo = cv2.resize(skimage.data.astronaut(), (128, 96), interpolation=cv2.INTER_AREA)
    return [np.rint(photo * k + colour * (1 - k)).astype(np.uint8) for k in SHARES]


@pytest.mark.parametrize("colour", [0, 255])
@pytest.mark.parametrize("command", ["render", "farm"])
def test_what_is_painted_fades_as_the_plate_does(render, colour: int, command: str) -> None:
    plates = fade(colour)
    styled = render(plates, command=command)
    assert np.array_equal(styled[-1], plates[-1])
    assert np.array_equal(styled[-2], plates[-2])
    whole = styled[3].astype(float)
    assert np.abs(whole - plates[3]).mean() > 8
    for result, share in zip(styled[4:], SHARES[4:], strict=True):
        expected = share * whole + (1 - share) * colour
        assert abs(result.mean() - expected.mean()) < 4
        assert abs(result.std() - expected.std()) < 4


def test_black_bars_are_left_alone(render) -> None:
    plates = []
    for number in range(4):
        plate = np.zeros((128, 128, 3), np.uint8)
        plate[20:108] = skimage.data.astronaut()[4 * number : 4 * number + 88, :128]
        plates.append(plate)
    styled = render(plates)
    changed = (styled != np.stack(plates)).any(axis=(0, 2, 3))
    assert not changed[:20].any()
    assert not changed[108:].any()
    assert changed[24:104].all()
