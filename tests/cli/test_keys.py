"""``--key``: frames that somebody painted, carried through a clip."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vidstyle.media.video.reader import open_clip

Picture = NDArray[np.uint8]
KEY = 8


@pytest.fixture
def run(vidstyle) -> Callable[..., str]:
    def call(*arguments: object) -> str:
        outcome = vidstyle("-q", *arguments)
        assert outcome.code == 0, outcome.err
        return outcome.err

    return call


@pytest.fixture(scope="session")
def plates(shot) -> list[Picture]:
    return [frame.image.numpy() for frame in open_clip(str(shot.clip)).frames()]


def poster(plate: Picture) -> Picture:
    """Flat tones by lightness."""
    grey = cv2.GaussianBlur(cv2.cvtColor(plate, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    tones = np.uint8([[20, 20, 90], [170, 40, 60], [230, 170, 40], [250, 250, 200]])
    return tones[grey // 64]


@pytest.fixture
def painted(plates, tmp_path: Path) -> Callable[..., str]:
    """``painted(frame)`` writes a key of that frame, and gives it as ``--key`` takes it."""

    def write(frame: int, name: str = "painted", alpha: Picture | None = None) -> str:
        picture = poster(plates[frame])[..., ::-1]
        if alpha is not None:
            picture = np.dstack([picture, alpha])
        path = tmp_path / f"{name}.{frame:04d}.png"
        cv2.imwrite(str(path), picture)
        return f"{path}@{frame}"

    return write


def made(path: Path) -> Path:
    """A folder, made."""
    path.mkdir(parents=True)
    return path


def pictures(folder: Path) -> list[Picture]:
    files = sorted(folder.glob("*.png"))
    return [np.asarray(cv2.imread(str(file)))[..., ::-1] for file in files]


def command(shot, tiny_model: Path, *more: object) -> tuple[object, ...]:
    common = ("--model", tiny_model, "--device", "cpu")
    return ("render", shot.clip, "--object", f"matte:{shot.mattes}", *common, *more)


def gap(one: Picture, other: Picture, inside: NDArray[np.bool_]) -> float:
    return float(np.abs(one.astype(float) - other)[inside].mean())


@pytest.mark.parametrize("temporal", ["off", "blend"])
def test_the_object_is_painted_after_the_key_in_every_frame(
    run, shot, tiny_model, plates, painted, tmp_path: Path, temporal: str
) -> None:
    target = made(tmp_path / "out")
    options = ("--key", painted(KEY), "--temporal", temporal, "-o", target / "f.%04d.png")
    run(*command(shot, tiny_model, *options))
    results = pictures(target)
    assert len(results) == len(plates)
    for frame, (plate, result) in enumerate(zip(plates, results, strict=True)):
        matte = shot.matte(frame)
        inside = cv2.erode(matte, np.ones((7, 7))) == 255
        outside = cv2.dilate(matte, np.ones((7, 7))) == 0
        assert np.array_equal(plate[outside], result[outside])
        assert gap(result, poster(plate), inside) < 0.45 * gap(plate, poster(plate), inside)
    inside = cv2.erode(shot.matte(KEY), np.ones((7, 7))) == 255
    assert np.abs(results[KEY].astype(int) - poster(plates[KEY]))[inside].max() <= 1


def test_between_two_keys_nothing_pops(
    run, shot, tiny_model, plates, painted, tmp_path: Path
) -> None:
    """Where one key goes over into the other, frames change no more than elsewhere."""
    target = made(tmp_path / "out")
    keys = ("--key", painted(1), "--key", painted(14))
    run(*command(shot, tiny_model, *keys, "--temporal", "off", "-o", target / "f.%04d.png"))
    results = pictures(target)
    changes = []
    for frame in range(1, len(results)):
        inside = (cv2.erode(shot.matte(frame), np.ones((5, 5))) == 255) & (
            cv2.erode(shot.matte(frame - 1), np.ones((5, 5))) == 255
        )
        changes.append(gap(results[frame], results[frame - 1], inside))
    middle = max(changes[5:10])
    assert middle < 1.3 * max(changes[1:5] + changes[10:14])
    for frame in (1, 14):
        inside = cv2.erode(shot.matte(frame), np.ones((7, 7))) == 255
        assert gap(results[frame], poster(plates[frame]), inside) < 1


def test_a_farm_paints_the_same_pixels(run, shot, tiny_model, painted, tmp_path: Path) -> None:
    work, key = tmp_path / "work", painted(KEY, alpha=hat(shot))
    grid = ("--segment", 5, "--preroll", 2, "--codec", "ffv1")
    settings = command(shot, tiny_model, "--key", key, *grid)[1:]
    run("render", *settings, "-o", tmp_path / "one.mkv")
    run("analyse", *settings, "--work", work)
    Path(key.rpartition("@")[0]).unlink()  # a node needs none of it
    run("segment-render", shot.clip, "--work", work, "--segments", "2-3")
    run("segment-render", shot.clip, "--work", work, "--segments", "0-1")
    run("join", shot.clip, "--work", work, "-o", tmp_path / "farm.mkv")
    one, farm = (
        [frame.image.numpy() for frame in open_clip(str(tmp_path / name)).frames()]
        for name in ("one.mkv", "farm.mkv")
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, farm, strict=True))


def test_a_damaged_work_directory_is_named(
    vidstyle, run, shot, tiny_model, painted, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    run("analyse", *command(shot, tiny_model, "--key", painted(KEY))[1:], "--work", work)
    file = work / "carried" / "0" / "000003.0.npz"
    file.write_bytes(file.read_bytes()[:100])
    outcome = vidstyle("segment-render", shot.clip, "--work", work, "--segments", "0")
    assert outcome.code == 3
    assert "000003.0.npz" in outcome.err


def hat(shot) -> Picture:
    """The astronaut's outline with a block upon his head."""
    alpha = shot.matte(KEY).copy()
    rows, columns = np.nonzero(alpha)
    top, middle = rows.min(), int(np.median(columns[rows < rows.min() + 6]))
    alpha[max(0, top - 14) : top + 4, middle - 9 : middle + 9] = 255
    return alpha


def test_a_painted_outline_goes_with_its_object(
    run, shot, tiny_model, plates, painted, tmp_path: Path
) -> None:
    target, mattes = made(tmp_path / "out"), made(tmp_path / "m") / "m.%04d.png"
    key = painted(KEY, alpha=hat(shot))
    options = ("--key", key, "--matte-out", mattes, "-o", target / "f.%04d.png")
    run(*command(shot, tiny_model, *options))
    grown = hat(shot).astype(bool) & (shot.matte(KEY) == 0)
    for frame in (KEY - 4, KEY, KEY + 4):
        matte = cv2.imread(str(mattes) % frame, cv2.IMREAD_GRAYSCALE)
        more = (matte > 127) & (shot.matte(frame) < 64)
        assert more.sum() == pytest.approx(grown.sum(), rel=0.35)
        top = np.nonzero(shot.matte(frame))[0].min()
        assert np.nonzero(more)[0].mean() < top + 3
    del plates


def test_a_style_paints_what_no_key_shows(
    run, shot, tiny_model, plates, painted, style_picture, tmp_path: Path
) -> None:
    """The clip's second half is another picture: the key knows nothing of it."""
    clip = made(tmp_path / "two")
    for frame, plate in enumerate(plates):
        picture = plate if frame < 10 else 255 - plate
        cv2.imwrite(str(clip / f"p.{frame:04d}.png"), picture[..., ::-1])
    mattes = ("--object", f"matte:{shot.mattes}", "--model", tiny_model, "--device", "cpu")
    style = ("--style", style_picture)
    for name, more in (("both", ("--key", painted(4), *style)), ("style", style)):
        run("render", clip, *mattes, *more, "-o", made(tmp_path / name) / "f.%04d.png",
            "--report", tmp_path / f"{name}.json", "--temporal", "off")  # fmt: skip
    both, style_alone = pictures(tmp_path / "both"), pictures(tmp_path / "style")
    inside = cv2.erode(shot.matte(13), np.ones((7, 7))) == 255
    assert gap(both[13], style_alone[13], inside) < 0.3 * gap(both[13], poster(plates[13]), inside)
    early = cv2.erode(shot.matte(5), np.ones((7, 7))) == 255
    assert gap(both[5], poster(plates[5]), early) < gap(both[5], style_alone[5], early)
    told = json.loads((tmp_path / "both.json").read_text())["objects"][0]
    assert told["carried"][4] == 1
    assert told["carried"][13] < 0.3
    assert 10 <= told["paint"][0] <= 15


def test_of_several_objects_each_has_its_keys(
    vidstyle, run, shot, tiny_model, plates, painted, tmp_path: Path
) -> None:
    objects = ("--object", "box:0,0,30,30", "--segmenter", "grabcut")
    target = ("-o", tmp_path / "out" / "f.%04d.png")
    call = command(shot, tiny_model, *objects, "--key", painted(KEY), *target)
    refused = vidstyle(*call)
    assert refused.code == 2
    assert "#1" in refused.err
    del run, plates


@pytest.mark.parametrize(
    ("key", "code", "word"),
    [
        ("none.png@3", 3, "no such picture"),
        ("painted.png", 2, "no frame given"),
        ("{small}@3", 3, "export the painted frame at the size of the plate"),
        ("{right}@99", 2, "not among the frames"),
        ("{right}@3#2", 2, "there is no object 2"),
    ],
)
def test_what_is_no_key_is_refused_in_one_line(
    vidstyle, shot, tiny_model, plates, tmp_path: Path, key: str, code: int, word: str
) -> None:
    names = {"small": tmp_path / "small.png", "right": tmp_path / "right.png"}
    cv2.imwrite(str(names["small"]), plates[3][:40, :40])
    cv2.imwrite(str(names["right"]), plates[3])
    target = tmp_path / "out.mp4"
    outcome = vidstyle("-q", *command(shot, tiny_model, "--key", key.format(**names), "-o", target))
    assert outcome.code == code
    assert word in outcome.err
    assert outcome.err.count("\n") == 1
    assert not target.exists()


def test_a_key_of_a_frame_without_the_object_is_refused(
    vidstyle, shot, tiny_model, painted, tmp_path: Path
) -> None:
    mattes = made(tmp_path / "mattes")
    for frame in range(16):
        matte = shot.matte(frame) if frame != 3 else np.zeros(shot.size, np.uint8)
        cv2.imwrite(str(mattes / f"m.{frame:04d}.png"), matte)
    options = ("--model", tiny_model, "--key", painted(3), "-o", tmp_path / "out.mp4")
    outcome = vidstyle("-q", "render", shot.clip, "--object", f"matte:{mattes}", *options)
    assert outcome.code == 6
    assert "not seen in frame 3" in outcome.err
