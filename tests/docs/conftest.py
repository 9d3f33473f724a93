"""The world of the guides: tiny files under the very names that their commands use."""

import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import make_shot
import numpy as np
import opentimelineio as otio
import pytest
import skimage.data
from numpy.typing import NDArray
from opentimelineio.opentime import RationalTime, TimeRange

oiio = pytest.importorskip("OpenImageIO")

PLATES = 4
"""Frames of the example shot."""
SEQUENCE = range(1001, 1004)
"""Frame numbers of image sequences."""

RECIPE = """\
validation = 2
[architecture]
features = 8
fine = 8
coarse = 8
brush = 8
depth = [1, 1, 1, 1]
[data]
content_side = 96
style_side = 96
[distil]
steps = 2
batch = 2
side = 64
[distil.lessons]
count = 2
side = 96
styles = 2
pictures = 2
samples = 2
[style]
steps = 2
batch = 1
side = 64
[run]
workers = 0
"""


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, shot, negative: Path) -> Path:
    """All that the guides take for granted, made once."""
    root = tmp_path_factory.mktemp("template")
    _clips(root, shot.clip)
    _pictures(root)
    _sequences(root)
    _lists(root)
    (root / "recipe.toml").write_text(RECIPE)
    shutil.copy(negative, root / "candy.onnx")
    return root


@pytest.fixture
def world(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port: int) -> Path:
    """A copy of it, which the test is in. Options that make every command small are given as the
    guides say that any option may be: by the environment."""
    root = tmp_path / "world"
    shutil.copytree(template, root)
    monkeypatch.chdir(root)
    # Where packages go that a guide installs.
    monkeypatch.setattr(sys, "path", [*sys.path, str(root / "site")])
    for name, value in {
        "DEVICE": "cpu",
        "SEGMENTER": "grabcut",
        "OVERWRITE": "1",
        "SEGMENT": "4",
        "PREROLL": "1",
        "STEP": "2",
        "QC_STEP": "2",
        "TEACHER": "micro",
        "CONFIG": "recipe.toml",
        "PORT": str(free_port),
    }.items():
        monkeypatch.setenv(f"VIDSTYLE_{name}", value)
    return root


def _clips(root: Path, tiny: Path) -> None:
    """The example shot with its mattes and three results of it, and a smaller clip."""
    make_shot.write_shot(root / "shot.mp4", PLATES)
    for name in ("styled.mp4", "theirs.mp4", "per_frame.mp4"):
        shutil.copy(root / "shot.mp4", root / name)
    (root / "mattes").mkdir()
    for time in range(PLATES):
        matte = make_shot.scene().mattes(time)[make_shot.ASTRONAUT]
        cv2.imwrite(str(root / f"mattes/m.{time:04}.png"), (matte * 255).astype(np.uint8))
    shutil.copy(root / "mattes/m.0000.png", root / "matte.png")
    shutil.copy(tiny, root / "in.mp4")
    for folder in ("clips", "plates", "ours", "theirs"):
        (root / folder).mkdir()
        shutil.copy(tiny, root / folder / "sh010.mp4")


def _pictures(root: Path) -> None:
    """Styles, photographs with their masks, and a slice of a CT."""
    paintings = {"art": "coffee", "a": "retina", "b": "immunohistochemistry"}
    for name, source in paintings.items():
        _save(root / f"{name}.jpg", getattr(skimage.data, source)(), 200)
        _save(root / f"paintings/{name}.jpg", getattr(skimage.data, source)(), 200)
    _save(root / "shoe.jpg", skimage.data.chelsea(), 640)
    for name in ("astronaut", "chelsea", "rocket"):
        photograph = getattr(skimage.data, name)()
        oval = np.zeros(photograph.shape[:2], np.uint8)
        height, width = oval.shape
        cv2.ellipse(oval, (width // 2, height // 2), (width // 4, height // 3), 0, 0, 360, 255, -1)
        for folder in ("photos", "photographs"):
            _save(root / f"{folder}/{name}.jpg", photograph, 160)
        for folder in ("mattes", "masks"):
            _save(root / f"{folder}/{name}.png", oval, 160)
    from pydicom.data import get_testdata_file

    (root / "ct").mkdir()
    shutil.copy(get_testdata_file("CT_small.dcm"), root / "ct/slice.dcm")


def _sequences(root: Path) -> None:
    """Plates as PNG, EXR and DPX, and a comp whose channel ``mask`` is the astronaut's matte."""
    size = 160, 90
    plate = cv2.resize(next(make_shot.frames(1)), size, interpolation=cv2.INTER_AREA)
    matte = cv2.resize(cv2.imread(str(root / "matte.png"), cv2.IMREAD_GRAYSCALE), size)
    for number in SEQUENCE:
        light = (plate / np.float32(255)) ** np.float32(2.2)
        _save(root / f"plates/shot.{number}.png", plate, 160)
        _write(root / f"plates/shot.{number}.exr", light, "RGB")
        _write(root / f"plate.{number}.exr", light, "RGB")
        _write(root / f"plate.{number}.dpx", plate / np.float32(255), "RGB")
        both = np.dstack([light, matte / np.float32(255)])
        _write(root / f"comp.{number}.exr", both, ["R", "G", "B", "mask"])


def _lists(root: Path) -> None:
    (root / "shots.csv").write_text("source,object,style\nin.mp4,person,art.jpg\n")
    timeline = otio.schema.Timeline("cut")
    timeline.tracks.append(track := otio.schema.Track("V1", kind="Video"))
    available = TimeRange(RationalTime(0, 25), RationalTime(16, 25))
    used = TimeRange(RationalTime(4, 25), RationalTime(4, 25))
    media = otio.schema.ExternalReference("sh010.mp4", available)
    track.append(otio.schema.Clip("sh010", media, used))
    otio.adapters.write_to_file(timeline, str(root / "cut.otio"))


def _save(path: Path, picture: NDArray[np.uint8], width: int) -> None:
    """RGB or grey, brought to a width."""
    path.parent.mkdir(exist_ok=True)
    height = picture.shape[0] * width // picture.shape[1]
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), small[..., ::-1] if small.ndim == 3 else small)


def _write(path: Path, picture: NDArray[np.float32], channels: Sequence[str]) -> None:
    """EXR in half floats, DPX in 10 bits."""
    height, width = picture.shape[:2]
    spec = oiio.ImageSpec(width, height, len(channels), oiio.HALF)
    spec.channelnames = tuple(channels)
    if path.suffix == ".dpx":
        spec.set_format(oiio.UINT16)
        spec["oiio:BitsPerSample"] = 10
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec)
    assert file.write_image(picture.astype(np.float32))
    file.close()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
