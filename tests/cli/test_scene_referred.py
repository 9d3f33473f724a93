"""``vidstyle render`` on scene-linear EXR plates: lights, negatives, passes and colour spaces."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vidstyle.media.picture import read_channel, read_picture
from vidstyle.media.video.reader import open_clip

oiio = pytest.importorskip("OpenImageIO")

FRAMES, FIRST = 3, 1001


@pytest.fixture(scope="module")
def plates(shot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shot as half-float EXR in linear light, its lights lifted to 100 and its shadows pushed
    below zero; the astronaut's matte is its channel ``mask``."""
    folder = tmp_path_factory.mktemp("plates")
    for frame in open_clip(str(shot.clip)).frames(0, FRAMES):
        light = (frame.image.numpy() / np.float32(255)) ** np.float32(2.2)
        light = np.where(light > 0.7, light + 330 * (light - 0.7), light - 0.02)
        mask = shot.matte(frame.index)[..., None] / np.float32(255)
        spec = oiio.ImageSpec(light.shape[1], light.shape[0], 4, oiio.HALF)
        spec.channelnames = ("R", "G", "B", "mask")
        spec["colorInteropID"], spec["shot"] = "lin_rec709_scene", "vs_010"
        path = str(folder / f"plate.{FIRST + frame.index}.exr")
        out = oiio.ImageOutput.create(path)
        assert out.open(path, spec)
        assert out.write_image(np.dstack([light, mask]).astype(np.float32))
        out.close()
    return folder / "plate.####.exr"


@pytest.fixture
def render(vidstyle, plates, style_picture, tiny_model) -> Callable[..., None]:
    def call(*options: object) -> None:
        parts = ("--style", style_picture, "--model", tiny_model, "--device", "cpu")
        outcome = vidstyle("render", plates, *parts, *options)
        assert outcome.code == 0, outcome.err

    return call


def pixels(pattern: Path, index: int = 0) -> NDArray[np.float32]:
    return read_picture(Path(str(pattern).replace("####", str(FIRST + index)))).pixels


def test_outside_the_matte_every_value_is_kept_bit_for_bit(
    render, plates, tmp_path, caplog
) -> None:
    target, report = tmp_path / "out.####.exr", tmp_path / "report.json"
    render("--object", f"matte:{plates}#mask", "-o", target, "--report", report)
    assert "taken to be Linear Rec.709 (sRGB)" in caplog.text
    colour = json.loads(report.read_text())["colour"]
    assert (colour["in"], colour["out"]) == ("Linear Rec.709 (sRGB)", None)
    lights = shadows = 0
    for index in range(FRAMES):
        plate, result = pixels(plates, index), pixels(target, index)
        file = tmp_path / f"out.{FIRST + index}.exr"
        mask = read_channel(file, "mask")
        outside = cv2.dilate((mask > 0).astype(np.uint8), np.ones((5, 5))) == 0
        kept, given = (np.ascontiguousarray(x[outside]).view(np.uint32) for x in (result, plate))
        assert np.array_equal(kept, given)
        lights, shadows = max(lights, plate[outside].max()), min(shadows, plate[outside].min())
        inside = mask == 1
        assert (result[inside] != plate[inside]).any(axis=1).mean() > 0.9
        assert np.isfinite(result).all()
        assert result.max() <= plate.max()
        source = oiio.ImageInput.open(str(file))
        assert source.spec()["shot"] == "vs_010"
        source.close()
    assert lights > 50
    assert shadows < 0


def test_strength_0_returns_the_plates(render, plates, tmp_path) -> None:
    render("--strength", 0, "-o", tmp_path / "same.####.exr")
    for index in range(FRAMES):
        assert np.array_equal(pixels(tmp_path / "same.####.exr", index), pixels(plates, index))


def test_mattes_go_out_as_exr_and_come_back(render, plates, shot, tmp_path) -> None:
    matte = tmp_path / "matte.####.exr"
    render("--object", f"matte:{plates}#mask", "-o", tmp_path / "a.####.exr", "--matte-out", matte)
    written = pixels(matte)[..., 0]
    assert np.array_equal(np.rint(written * 255).astype(np.uint8), shot.matte(0))
    render("--object", f"matte:{matte}", "-o", tmp_path / "b.####.exr")
    assert np.array_equal(pixels(tmp_path / "a.####.exr"), pixels(tmp_path / "b.####.exr"))


def test_an_element_over_the_plate_is_the_render(render, plates, tmp_path) -> None:
    spec = ("--object", f"matte:{plates}#mask", "--out", 0)
    render(*spec, "-o", tmp_path / "render.####.exr")
    render(*spec, "-o", tmp_path / "element.####.exr", "--element")
    element = read_picture(tmp_path / f"element.{FIRST}.exr")
    assert element.alpha is not None
    assert not element.pixels[element.alpha == 0].any()
    over = element.pixels + (1 - element.alpha[..., None]) * pixels(plates)
    rounding = 2e-3 * (1 + np.abs(pixels(plates)))
    assert (np.abs(over - pixels(tmp_path / "render.####.exr")) <= rounding).all()


def test_a_decontaminated_element_differs_at_its_edge_alone(render, plates, tmp_path) -> None:
    """Its plate is lit behind and around the astronaut: less of that light is left at the edge."""
    spec = ("--object", f"matte:{plates}#mask", "--out", 0, "--element")
    render(*spec, "-o", tmp_path / "exact.####.exr")
    render(*spec, "--decontaminate", "-o", tmp_path / "clean.####.exr")
    exact, clean = (read_picture(tmp_path / f"{n}.{FIRST}.exr") for n in ("exact", "clean"))
    assert np.array_equal(exact.alpha, clean.alpha)
    edge = (exact.alpha > 0) & (exact.alpha < 1)
    assert np.allclose(exact.pixels[~edge], clean.pixels[~edge], rtol=2e-3)  # alpha is half-float
    assert (exact.pixels[edge] != clean.pixels[edge]).any(axis=1).mean() > 0.9
    assert np.isfinite(clean.pixels).all()
    inner = exact.pixels[exact.alpha == 1].max()
    lit = [(e.pixels[edge] > inner * exact.alpha[edge][:, None]).sum() for e in (exact, clean)]
    assert lit[1] <= lit[0]


def test_without_float_the_view_is_written(render, plates, tmp_path, caplog) -> None:
    render("--strength", 0, "-o", tmp_path / "view.####.png")
    assert "view.####.png: by the view sRGB - Display / ACES" in caplog.text
    seen = pixels(tmp_path / "view.####.png")
    assert seen.dtype == np.uint16
    grey = np.abs(pixels(plates).mean(axis=2) - 0.18) < 0.02
    assert 0.3 < (seen[grey] / 65535).mean() < 0.45


def test_the_output_goes_to_another_space(render, plates, tmp_path) -> None:
    render(
        *("--strength", 0, "--colorspace", "lin_rec709:ACEScg", "--out", 0),
        *("-o", tmp_path / "cg.####.exr"),
    )
    file = tmp_path / f"cg.{FIRST}.exr"
    before, after = pixels(plates), pixels(tmp_path / "cg.####.exr")
    to_ap1 = np.array(
        [[0.6131, 0.3395, 0.0474], [0.0702, 0.9164, 0.0134], [0.0206, 0.1096, 0.8698]]
    )
    assert np.allclose(after, before @ to_ap1.T, rtol=2e-3, atol=2e-3)
    assert read_picture(file).space in ("ACEScg", "lin_ap1_scene")
    assert read_channel(file, "mask").max() == 1


def test_wrong_names_and_places_end_in_a_line(vidstyle, plates, style_picture, tmp_path) -> None:
    command = ("render", plates, "--style", style_picture)
    outcome = vidstyle(*command, "--colorspace", "ACESgc", "-o", tmp_path / "a.####.exr")
    assert (outcome.code, "nearest: ACEScg" in outcome.err) == (2, True)
    outcome = vidstyle(*command, "--element", "-o", tmp_path / "a.####.png")
    assert outcome.code == 2
    assert "holds no premultiplied alpha" in outcome.err
    outcome = vidstyle(*command, "--decontaminate", "-o", tmp_path / "a.####.exr")
    assert outcome.code == 2
    assert "--decontaminate: it changes only an element's edge; add --element" in outcome.err
    outcome = vidstyle(*command, "--object", f"matte:{plates}#nask", "-o", tmp_path / "a.####.exr")
    assert outcome.code == 3
    assert "no channel 'nask'; it has R, G, B, mask" in outcome.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [(), ("--element",)])
def test_a_farm_writes_the_same_files(
    vidstyle, render, plates, style_picture, tiny_model, tmp_path, kind
):
    grid = ("--segment", 2, "--preroll", 1, "--object", f"matte:{plates}#mask", *kind)
    render(*grid, "-o", tmp_path / "one.####.exr")
    parts = ("--style", style_picture, "--model", tiny_model, "--device", "cpu")
    work = ("--work", tmp_path / "work")
    for command in (
        ("analyse", plates, *parts, *grid, *work),
        ("segment-render", plates, *work, "--segments", "0-1"),
        ("join", plates, *work, "-o", tmp_path / "farm.####.exr"),
    ):
        outcome = vidstyle(*command)
        assert outcome.code == 0, outcome.err
    for number in range(FIRST, FIRST + FRAMES):
        one, farm = (read_picture(tmp_path / f"{name}.{number}.exr") for name in ("one", "farm"))
        assert np.array_equal(one.pixels, farm.pixels)
        assert (one.alpha is None) == (farm.alpha is None) == (not kind)
        assert one.alpha is None or np.array_equal(one.alpha, farm.alpha)


def test_results_are_scored_as_they_are_seen(vidstyle, render, plates, tmp_path) -> None:
    pytest.importorskip("lpips")
    render("--strength", 0, "-o", tmp_path / "same.####.exr")
    scores = tmp_path / "scores.json"
    outcome = vidstyle(
        "evaluate",
        plates,
        tmp_path / "same.####.exr",
        "--gaps",
        1,
        "--flow",
        "dis",
        "--json",
        scores,
    )
    assert outcome.code == 0, outcome.err
    (means,) = [m for name, m in json.loads(scores.read_text())["means"].items() if name != "plate"]
    assert means["ssim.all"] == pytest.approx(1)
