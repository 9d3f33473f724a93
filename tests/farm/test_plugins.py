"""A style model of another package on a farm: its segments are the frames of one render."""

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vidstyle.media.video.reader import open_clip
from vidstyle.style import plugins

EXAMPLE = Path(__file__).parents[2] / "examples" / "vidstyle_onnx"


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The example, as if it had been installed."""
    pytest.importorskip("onnxruntime")
    entry = EntryPoint("onnx", "vidstyle_onnx:build", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [entry] if group else [])
    monkeypatch.syspath_prepend(str(EXAMPLE))
    yield
    sys.modules.pop("vidstyle_onnx", None)


def test_joined_segments_are_the_render_of_the_grid(
    vidstyle: Callable[..., Any], shot: Any, negative: Path, tmp_path: Path
) -> None:
    def run(*arguments: object) -> None:
        outcome = vidstyle("-q", *arguments)
        assert outcome.code == 0, outcome.err

    settings = (
        shot.clip, "--style", negative, "--model", "onnx", "--device", "cpu", "--object",
        f"matte:{shot.mattes}", "--out", 7, "--segment", 4, "--preroll", 2, "--detail", 0.5,
    )  # fmt: skip
    one, joined, work = tmp_path / "one.%04d.png", tmp_path / "joined.%04d.png", tmp_path / "work"
    run("render", *settings, "-o", one)
    run("analyse", *settings, "--work", work)
    for segment in (1, 0):
        run("segment-render", shot.clip, "--work", work, "--segments", segment)
    run("join", shot.clip, "--work", work, "-o", joined)
    frames = list(zip(open_clip(str(one)).frames(), open_clip(str(joined)).frames(), strict=True))
    assert len(frames) == 8
    for index, (first, second) in enumerate(frames):
        assert np.array_equal(first.image, second.image)
        # Half of the fine detail is the plate's; colours are the negative's.
        plate = next(open_clip(str(shot.clip)).frames(index, index + 1)).image.numpy()
        inside = shot.matte(index) == 255
        mean = plate[inside].mean(axis=0)
        assert np.abs(first.image.numpy()[inside].mean(axis=0) - (255 - mean)).max() < 10


def test_what_a_model_draws_does_not_depend_on_the_task(
    vidstyle: Callable[..., Any], shot: Any, negative: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    import vidstyle_onnx

    def noise(_: Any, images: torch.Tensor, *_more: Any) -> torch.Tensor:
        return torch.rand_like(images)

    monkeypatch.setattr(vidstyle_onnx.OnnxStyles, "__call__", noise)
    work = tmp_path / "work"
    done = vidstyle(
        "analyse", shot.clip, "--style", negative, "--model", "onnx", "--device", "cpu", "--object",
        f"matte:{shot.mattes}", "--out", 7, "--segment", 4, "--preroll", 2, "--work", work,
    )  # fmt: skip
    assert done.code == 0, done.err
    rendered = []
    for segments in ("0-1", "1"):
        task = ("segment-render", shot.clip, "--work", work, "--segments", segments)
        assert vidstyle(*task).code == 0
        rendered.append((work / "segments" / "00001.frames").read_bytes())
        (work / "segments" / "00001.json").unlink()
    assert rendered[0] == rendered[1]
