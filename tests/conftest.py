"""What tests of several folders share: the command line, data, a style picture, a clip whose truth
is known, a model.

The clip is photographs in motion (see ``examples/scenes.py``), small, with sound and uneven times.
"""

import logging
import math
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import skimage.data
import torch
from numpy.typing import NDArray
from photographs import astronaut, launch_pad
from scenes import Layer, Scene, similarity

from vidstyle.cli import main
from vidstyle.style.micro import Architecture, MicroNetwork
from vidstyle.train.save import save_model

DATA = Path(__file__).parents[2] / "shared" / "data"

RATE = 25
TICK = 512  # of mp4's usual 1/12800 s, at 25 frames a second


@dataclass(frozen=True)
class GeneratedShot:
    """Files of a shot in which an astronaut passes a launch pad.

    Attributes:
        clip: H.264 and AAC in mp4.
        mattes: pattern of the astronaut's true mattes, one a frame.
        mask: the first of them.
        size: (H, W).
        pts: of each frame, in 1/12800 s; some frames are held longer.
    """

    clip: Path
    mattes: str
    mask: Path
    size: tuple[int, int]
    pts: tuple[int, ...]

    def matte(self, index: int) -> NDArray[np.uint8]:
        """(H, W), 255 inside the astronaut."""
        return np.asarray(cv2.imread(self.mattes % index, cv2.IMREAD_GRAYSCALE))


@dataclass(frozen=True)
class Outcome:
    """What a call came to: its exit code, and what it said on both streams."""

    code: int
    out: str
    err: str


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test logged may hold names that are no text, which no report takes from one process
    of pytest-xdist to another."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.fixture
def vidstyle(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Outcome]]:
    """``vidstyle(*arguments)`` calls the command line as the console script does, in this process.

    The streams are caught at their file descriptors, so that what a C library prints is seen too;
    log lines go to pytest.
    """
    logger = logging.getLogger("vidstyle")
    level = logger.level
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    hooks = sys.unraisablehook, sys.excepthook

    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["vidstyle", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capfd.readouterr()
        return Outcome(stop.value.code, out, err)

    yield call
    logger.setLevel(level)
    sys.unraisablehook, sys.excepthook = hooks
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def data() -> Callable[[str], Path]:
    """A file or folder below the shared data; the test is skipped without it."""

    def path(name: str) -> Path:
        if not (DATA / name).exists():
            pytest.skip(f"no {name} on this machine")
        return DATA / name

    return path


@pytest.fixture(scope="session")
def style_picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph of coffee, as strong in colour as a painting: 150x100 pixels."""
    path = tmp_path_factory.mktemp("style") / "coffee.png"
    small = cv2.resize(skimage.data.coffee(), (150, 100), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), small[..., ::-1])
    return path


@pytest.fixture(scope="session")
def other_style_picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph of stars in the dark: 128x128 pixels."""
    path = tmp_path_factory.mktemp("style") / "stars.png"
    cv2.imwrite(str(path), skimage.data.hubble_deep_field()[300:428, 300:428, ::-1])
    return path


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a style model that has learned nothing, and is fast."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    torch.manual_seed(0)
    network = MicroNetwork(Architecture("micro", 8, 8, 8, 8, (1, 1, 1, 1)))
    save_model(folder, network, ridge=0.01, licence="CC0-1.0")
    return folder


@pytest.fixture(scope="session")
def negative(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network in ONNX that turns a picture of any size into its negative: a style of
    ``examples/vidstyle_onnx``."""
    onnx = pytest.importorskip("onnx")
    from onnx import helper, numpy_helper

    ends = [
        helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, 3, "h", "w"]) for n in "xy"
    ]
    white = numpy_helper.from_array(np.float32(255), "white")
    node = helper.make_node("Sub", ["white", "x"], ["y"])
    graph = helper.make_graph([node], "negative", ends[:1], ends[1:], [white])
    opset = [helper.make_opsetid("", 17)]
    path = tmp_path_factory.mktemp("onnx") / "negative.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), str(path))
    return path


@pytest.fixture(scope="session")
def shot(tmp_path_factory: pytest.TempPathFactory) -> GeneratedShot:
    """Sixteen frames of 160x96."""
    folder = tmp_path_factory.mktemp("shot")
    size, count = (96, 160), 16
    scene = _scene(size)
    mattes = str(folder / "matte.%04d.png")
    for index in range(count):
        matte = scene.mattes(index)[1]
        cv2.imwrite(mattes % index, (matte * 255).round().astype(np.uint8))
    # Every fifth frame is held for two.
    pts = tuple(TICK * (index + index // 5) for index in range(count))
    clip = folder / "shot.mp4"
    _write(clip, [scene.picture(index) for index in range(count)], pts)
    return GeneratedShot(clip, mattes, Path(mattes % 0), size, pts)


def _scene(size: tuple[int, int]) -> Scene:
    picture, matte = astronaut(0.15)
    pad = launch_pad(140)
    side = len(matte)

    def walk(time: float):
        return similarity(45 + 3 * time, 98, degrees=2 * math.sin(time), pivot=(side / 2, side))

    def pan(time: float):
        return similarity(80 - time, 48, pivot=(pad.shape[1] / 2, 70))

    return Scene([Layer(pad, None, pan), Layer(picture, matte, walk)], size)


def _write(path: Path, pictures: list[NDArray[np.float32]], pts: tuple[int, ...]) -> None:
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE, options={"crf": "10"})
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = "yuv420p"
        video.time_base = video.codec_context.time_base = Fraction(1, RATE * TICK)
        audio = container.add_stream("aac", rate=48_000, layout="mono")
        for picture, time in zip(pictures, pts, strict=True):
            frame = av.VideoFrame.from_ndarray((picture * 255).round().astype(np.uint8))
            frame.pts, frame.time_base = time, video.time_base
            container.mux(video.encode(frame))
        container.mux(video.encode())
        length = (pts[-1] + TICK) / (RATE * TICK)
        tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(0, length, 1 / 48_000))
        sound = av.AudioFrame.from_ndarray(tone[None].astype(np.float32), "fltp", "mono")
        sound.sample_rate, sound.pts, sound.time_base = 48_000, 0, Fraction(1, 48_000)
        container.mux(audio.encode(sound))
        container.mux(audio.encode())
