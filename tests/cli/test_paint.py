"""``vidstyle paint``: keys that a render takes as they are."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import vidstyle as api
from vidstyle.models import weights
from vidstyle.painter import painter
from vidstyle.perceptual.network import MicroPerceptual

Picture = NDArray[np.uint8]
KEY = 8


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Painted in a second, by a network that is always there."""
    monkeypatch.setattr("vidstyle.painter.job.build_network", lambda _device: MicroPerceptual())
    monkeypatch.setattr("vidstyle.painter.job.STYLE_SIDE", 64)
    monkeypatch.setattr(painter, "PIXELS", 100 * 80)


@pytest.fixture
def paint(vidstyle, shot, style_picture) -> Callable[..., list[str]]:
    """What it says."""

    def call(*arguments: object) -> list[str]:
        outcome = vidstyle("-q", *command(shot, style_picture, *arguments))
        assert outcome.code == 0, outcome.err
        return outcome.out.splitlines()

    return call


def command(shot, style: Path, *more: object) -> tuple[object, ...]:
    return ("paint", shot.clip, "--object", f"matte:{shot.mattes}", "--style", style, *more)


def read(path: Path) -> Picture:
    """RGBA."""
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)


def test_a_key_is_as_large_as_the_plate_and_its_alpha_is_the_matte(
    paint, shot, tmp_path: Path
) -> None:
    target = tmp_path / "painted.png"
    assert paint("--key", KEY, "-o", target) == [f"{target}@{KEY}"]
    key = read(target)
    assert key.shape == (*shot.size, 4)
    assert key.dtype == np.uint8
    assert np.array_equal(key[..., 3], shot.matte(KEY))


def test_a_render_takes_it_as_it_is(paint, vidstyle, shot, tiny_model, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    key = paint("--key", KEY, "-o", tmp_path / "painted.png")[0]
    outcome = vidstyle(
        "-q", "render", shot.clip, "--object", f"matte:{shot.mattes}", "--key", key,
        "--model", tiny_model, "--in", 6, "--out", 10, "-o", tmp_path / "out" / "f.%04d.png",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    frame = cv2.imread(str(tmp_path / "out" / f"f.{KEY:04d}.png"))[..., ::-1]
    inside = cv2.erode(shot.matte(KEY), np.ones((7, 7))) == 255
    painted = read(tmp_path / "painted.png")[..., :3]
    assert np.abs(frame.astype(int) - painted)[inside].max() <= 1


def test_a_seed_is_a_painting(paint, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        paint("--key", KEY, "--seed", seed, "-o", tmp_path / f"{name}.png")
    one, same, other = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert one == same != other


def test_a_further_key_agrees_with_the_one_before(paint, shot, tmp_path: Path) -> None:
    """It is nearer to what that one shows of it than the same frame painted by itself is."""
    near = KEY + 1
    pattern = tmp_path / "p.####.png"
    said = paint("--key", KEY, "--key", near, "-o", pattern)
    assert [Path(key).name for key in said] == [
        f"p.{KEY:04d}.png@{KEY}",
        f"p.{near:04d}.png@{near}",
    ]
    paint("--key", near, "--seed", 5, "-o", tmp_path / "alone.png")
    first, then = read(tmp_path / f"p.{KEY:04d}.png"), read(tmp_path / f"p.{near:04d}.png")
    alone = read(tmp_path / "alone.png")
    moved = np.roll(first, 3, axis=1)  # the astronaut walks three pixels a frame
    inside = cv2.erode(shot.matte(near), np.ones((9, 9))) == 255

    def gap(picture: Picture) -> float:
        return float(np.abs(moved.astype(int) - picture)[inside][..., :3].mean())

    assert gap(then) < 0.6 * gap(alone)  # he also turns a little


def test_a_key_that_is_there_is_agreed_with_and_stays(paint, tmp_path: Path) -> None:
    first = paint("--key", KEY, "-o", tmp_path)[0]
    before = (tmp_path / f"painted.{KEY:04d}.png").read_bytes()
    alone = tmp_path / "alone.png"
    paint("--key", KEY + 1, "-o", alone)
    assert paint("--key", KEY + 1, "--key", first, "-o", tmp_path) == [
        f"{tmp_path / f'painted.{KEY + 1:04d}.png'}@{KEY + 1}"
    ]
    assert (tmp_path / f"painted.{KEY:04d}.png").read_bytes() == before
    assert (tmp_path / f"painted.{KEY + 1:04d}.png").read_bytes() != alone.read_bytes()


def test_auto_begins_in_the_middle_and_paints_what_is_not_shown(
    paint, shot, tmp_path: Path, monkeypatch
) -> None:
    proposals = iter([[2], []])
    monkeypatch.setattr("vidstyle.painter.easel.proposed", lambda _confidences: next(proposals))
    said = paint("--key", "auto", "-o", tmp_path)
    assert [int(key.rpartition("@")[2]) for key in said] == [7, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "painted.0002.png", "painted.0007.png",
    ]  # fmt: skip
    del shot


def test_auto_ends_when_the_keys_show_enough(paint, tmp_path: Path) -> None:
    """One shows all of an object that only walks."""
    assert len(paint("--key", "auto", "-o", tmp_path)) == 1


def test_plates_give_keys_their_numbers(paint, vidstyle, shot, style_picture, tmp_path) -> None:
    plates, mattes = tmp_path / "plates", tmp_path / "mattes"
    for folder in (plates, mattes):
        folder.mkdir()
    for frame in range(4):
        name = f"p.{1001 + frame}.png"
        cv2.imwrite(str(plates / name), np.full((96, 160, 3), 40 * frame, np.uint8))
        cv2.imwrite(str(mattes / name), shot.matte(frame))
    outcome = vidstyle(
        "-q", "paint", plates / "p.####.png", "--object", f"matte:{mattes}", "--style",
        style_picture, "--key", 2, "-o", tmp_path / "k.####.png",
    )  # fmt: skip
    assert outcome.out.strip() == f"{tmp_path / 'k.1003.png'}@2"
    del paint


def test_a_key_is_not_replaced_unless_that_is_asked_for(
    paint, vidstyle, shot, style_picture, tmp_path: Path
) -> None:
    target = tmp_path / "painted.0008.png"
    paint("--key", KEY, "-o", target)
    before = target.read_bytes()
    for key in (KEY, "auto"):
        call = command(shot, style_picture, "--key", key, "--seed", 3, "-o", tmp_path)
        outcome = vidstyle("-q", *call)
        assert outcome.code == 2
        assert "painted.0008.png: exists; use it with --key" in outcome.err
    assert target.read_bytes() == before
    paint("--key", KEY, "--seed", 3, "-o", tmp_path, "--overwrite")
    assert target.read_bytes() != before


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--key", "8", "-o", "{out}/k.exr"), 2, "keys are PNG"),
        (("--key", "8", "-o", "{out}/none/k.png"), 2, "there is no folder"),
        (("--key", "8", "--key", "9", "-o", "{out}/k.png"), 2, "cannot hold several keys"),
        (("--key", "auto", "-o", "{out}/k.png"), 2, "cannot hold several keys"),
        (("--key", "99", "-o", "{out}/k.png"), 2, "--key 99: outside the frames"),
        (("--key", "8", "--in", "9", "-o", "{out}/k.png"), 2, "--key 8: outside the frames"),
        (("--key", "eight", "-o", "{out}/k.png"), 2, "--key eight: not a frame"),
        (("--key", "8", "--key", "none.png@9", "-o", "{out}"), 3, "no such picture"),
        (("--key", "8", "--strokes", "9", "-o", "{out}/k.png"), 2, "strokes"),
        (("--key", "8", "--structure", "-1", "-o", "{out}/k.png"), 2, "structure"),
    ],
)
def test_what_cannot_be_painted_is_refused_in_one_line(
    vidstyle, shot, style_picture, tmp_path: Path, arguments, code: int, says: str
) -> None:
    given = [text.format(out=tmp_path) for text in arguments]
    outcome = vidstyle("-q", *command(shot, style_picture, *given))
    assert outcome.code == code
    assert says in outcome.err
    assert outcome.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_frame_without_the_object_is_refused(
    vidstyle, shot, style_picture, tmp_path: Path
) -> None:
    for frame in range(16):
        matte = shot.matte(frame) if frame != 3 else np.zeros(shot.size, np.uint8)
        cv2.imwrite(str(tmp_path / f"m.{frame:04d}.png"), matte)
    mattes = ("--object", f"matte:{tmp_path}/m.####.png", "--style", style_picture)
    outcome = vidstyle("-q", "paint", shot.clip, *mattes, "--key", 3, "-o", tmp_path / "k.png")
    assert outcome.code == 6
    assert "--key 3: the object is not seen in that frame" in outcome.err


def test_missing_weights_are_named(
    vidstyle, shot, style_picture, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.undo()
    for variable in ("VIDSTYLE_MODEL_PATH", "TORCH_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr(weights, "cache_folder", lambda: tmp_path)
    call = command(shot, style_picture, "--key", KEY, "-o", tmp_path / "k.png")
    outcome = vidstyle("-q", *call)
    assert outcome.code == 4
    assert "run 'vidstyle models fetch vgg19'" in outcome.err
    assert outcome.err.count("\n") == 1


def test_from_python(shot, style_picture, tmp_path: Path) -> None:
    stages: list[str] = []
    done = api.paint(
        shot.clip,
        object=f"matte:{shot.mattes}",
        style=style_picture,
        key=KEY,
        output=tmp_path,
        strokes=2,
        seed=3,
        on_progress=lambda step: stages.append(step.stage),
    )
    assert done == [f"{tmp_path / 'painted.0008.png'}@8"]
    assert stages[-1] == "paint"
    assert callable(api.paint)
