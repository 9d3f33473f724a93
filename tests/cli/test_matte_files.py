"""Mattes written by a render, and given back to another."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from vidstyle.media.video.reader import open_clip


@pytest.fixture
def render(vidstyle, style_picture, tiny_model, tmp_path: Path) -> Callable[..., np.ndarray]:
    """Renders a clip with the options; the result's frames (N, H, W, 3)."""

    def call(source: Path | str, *options: object, style: Path = style_picture) -> np.ndarray:
        target = tmp_path / "styled.%04d.png"
        for old in tmp_path.glob("styled.*"):
            old.unlink()
        parts = ("--model", tiny_model, "--device", "cpu", "--temporal", "off", "-o", target)
        outcome = vidstyle("-q", "render", source, "--style", style, *parts, *options)
        assert outcome.code == 0, outcome.err
        return np.stack([frame.image.numpy() for frame in open_clip(str(target)).frames()])

    return call


@pytest.fixture
def box(shot) -> str:
    """A prompt for her in frame 4."""
    x0, y0, width, height = cv2.boundingRect(shot.matte(4))
    return f"box:{x0},{y0},{x0 + width},{y0 + height}@4"


@pytest.mark.parametrize("name", ["m.%04d.png", "m.mkv", "m.mov"])
def test_written_mattes_give_the_same_pixels(render, shot, box, tmp_path, name: str) -> None:
    mattes, part = tmp_path / name, ("--in", 3, "--out", 6)
    first = render(shot.clip, "--object", box, *part, "--matte-out", mattes)
    assert np.array_equal(render(shot.clip, "--object", f"matte:{mattes}", *part), first)


def test_mattes_of_the_whole_clip_serve_a_part(render, shot, tmp_path: Path) -> None:
    mattes, part = tmp_path / "m.mov", ("--in", 9, "--out", 10)
    given = f"matte:{shot.mattes}"
    render(shot.clip, "--object", given, "--matte-out", mattes)
    again = render(shot.clip, "--object", f"matte:{mattes}", *part)
    assert np.array_equal(again, render(shot.clip, "--object", given, *part))


def test_a_matte_video_carries_alpha_of_the_same_values(render, shot, tmp_path: Path) -> None:
    mattes = tmp_path / "m.mov"
    render(shot.clip, "--object", f"matte:{shot.mattes}", "--out", 2, "--matte-out", mattes)
    for frame in open_clip(str(mattes)).frames():
        alpha = np.rint(frame.alpha.numpy() / 257)
        assert np.array_equal(alpha, shot.matte(frame.index))
        assert np.abs(frame.image.numpy()[..., 0] / 257 - alpha).mean() < 1


def test_each_object_s_mattes_have_a_name_of_their_own(render, shot, tmp_path: Path) -> None:
    corner = np.zeros(shot.size, np.uint8)
    corner[:12, :40] = 255
    (tmp_path / "corner").mkdir()
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"corner/{index:04}.png"), corner)
    objects = ("--object", f"matte:{shot.mattes}", "--object", f"matte:{tmp_path / 'corner'}")
    render(shot.clip, *objects, "--out", 2, "--matte-out", tmp_path / "m.####.png")
    for index in range(3):
        first, second = (
            cv2.imread(str(tmp_path / f"object{number}.m.{index:04}.png"), cv2.IMREAD_GRAYSCALE)
            for number in (1, 2)
        )
        assert np.array_equal(first, shot.matte(index))
        assert np.array_equal(second, corner)
    assert not list(tmp_path.glob("m.*"))


def test_mattes_of_a_deep_clip_are_deep(render, tmp_path: Path) -> None:
    ramp = np.zeros((64, 64), np.uint8)
    ramp[8:56] = np.arange(64) * 4
    for folder, values in (("plates", np.full((64, 64, 3), 30_000, np.uint16)), ("given", ramp)):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "0001.png"), values)
    given = f"matte:{tmp_path / 'given'}"
    mattes = tmp_path / "m.%04d.png"
    first = render(tmp_path / "plates", "--object", given, "--matte-out", mattes)
    written = cv2.imread(str(tmp_path / "m.0001.png"), cv2.IMREAD_UNCHANGED)
    assert written.dtype == np.uint16
    assert np.array_equal(written[..., 0], 257 * ramp.astype(np.uint16))
    again = render(tmp_path / "plates", "--object", f"matte:{mattes}")
    assert np.array_equal(again, first)


def test_plates_get_the_mattes_of_their_numbers(render, tmp_path: Path) -> None:
    """Plates 1009 to 1011, mattes 1001 to 1024: each of another strip of the picture."""
    for folder in ("plates", "mattes"):
        (tmp_path / folder).mkdir()
    strips = [np.zeros((64, 96), np.uint8) for _ in range(24)]
    for number, strip in enumerate(strips):
        strip[:, 4 * number : 4 * number + 4] = 255
        cv2.imwrite(str(tmp_path / f"mattes/m.{1001 + number}.png"), strip)
    rng = np.random.default_rng(0)
    plates = [rng.integers(0, 255, (64, 96, 3), np.uint8) for _ in range(3)]
    for number, plate in enumerate(plates):
        cv2.imwrite(str(tmp_path / f"plates/p.{1009 + number}.png"), plate[..., ::-1])
    given = f"matte:{tmp_path / 'mattes'}"
    result = render(tmp_path / "plates", "--object", given, "--feather", 0)
    for number, (styled, plate) in enumerate(zip(result, plates, strict=True)):
        changed = (styled != plate).any(axis=(0, 2))
        assert not changed[strips[8 + number][0] == 0].any()
        assert changed[strips[8 + number][0] == 255].all()


def test_one_object_of_several_is_picked_by_its_label(render, shot, tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    for index in range(3):
        label = shot.matte(index) // 255 * np.uint8(2)
        label[:12, :40] = 1
        cv2.imwrite(str(tmp_path / f"labels/{index:04}.png"), label)
    part = ("--out", 2)
    expected = render(shot.clip, "--object", f"matte:{hard(shot, tmp_path)}", *part)
    picked = render(shot.clip, "--object", f"matte:{tmp_path / 'labels'}#2", *part)
    assert np.array_equal(picked, expected)


def hard(shot, tmp_path: Path) -> Path:
    """The true mattes without their soft edges, and without the corner."""
    folder = tmp_path / "hard"
    folder.mkdir()
    for index in range(3):
        matte = shot.matte(index) // 255 * np.uint8(255)
        matte[:12, :40] = 0
        cv2.imwrite(str(folder / f"{index:04}.png"), matte)
    return folder


def test_a_matte_video_that_does_not_fit_is_refused(vidstyle, render, shot, tmp_path) -> None:
    mattes = tmp_path / "m.mkv"
    render(shot.clip, "--object", f"matte:{shot.mattes}", "--out", 2, "--matte-out", mattes)
    style = ("--style", shot.mask, "-o", tmp_path / "s.mkv")
    short = vidstyle("-q", "render", shot.clip, *style, "--object", f"matte:{mattes}")
    assert short.code == 3
    assert f"matte:{mattes}: 3 mattes for frames 0 to 15" in short.err
    absent = vidstyle("-q", "render", shot.clip, *style, "--object", "matte:absent.mov")
    assert absent.code == 3
    assert "absent.mov" in absent.err
    assert not (tmp_path / "s.mkv").exists()
