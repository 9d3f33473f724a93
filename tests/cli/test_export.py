"""``vidstyle export``, and ``render --backend`` with what it wrote."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest


def frames_of(path: Path) -> list[np.ndarray[Any, Any]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_render_through_a_file_is_the_same(
    vidstyle: Callable[..., Any], shot: Any, style_picture: Path, tiny_model: Path, tmp_path: Path
) -> None:
    exported = tmp_path / "tiny.pt"
    told = vidstyle("export", "--format", "torchscript", "--model", tiny_model, "-o", exported)
    assert told.code == 0, told.err
    assert "mean 0.000" in told.out
    assert told.out.splitlines()[-1] == str(exported)
    results = []
    for backend in ("torch", exported):
        target = tmp_path / f"{Path(backend).stem}.mkv"
        done = vidstyle(
            *("render", shot.clip, "--style", style_picture, "--model", tiny_model, "--out", 3),
            *("--temporal", "off", "--codec", "ffv1", "--backend", backend, "-o", target),
        )
        assert done.code == 0, done.err
        results.append(frames_of(target))
    for plain, through in zip(*results, strict=True):
        assert np.abs(plain.astype(int) - through).max() <= 1


@pytest.mark.parametrize("able", [True, False])
def test_bfloat16_is_for_devices_that_are_fast_in_it(
    able: bool,
    vidstyle: Callable[..., Any],
    shot: Any,
    style_picture: Path,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vidstyle.pipeline.parts.multiplies_in_bfloat16", lambda _: able)
    done = vidstyle(
        *("render", shot.clip, "--style", style_picture, "--model", tiny_model, "--out", 0),
        *("--backend", "torch-bf16", "--report", tmp_path / "r.json", "-o", tmp_path / "x.mp4"),
    )
    if able:
        assert done.code == 0, done.err
        assert json.loads((tmp_path / "r.json").read_text())["parts"]["backend"] == "torch-bf16"
    else:
        assert done.code == 5
        assert "has no units for bfloat16" in done.err
        assert not (tmp_path / "x.mp4").exists()


def test_what_is_missing_is_exported_once(
    vidstyle: Callable[..., Any],
    shot: Any,
    style_picture: Path,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    command = ("render", shot.clip, "--style", style_picture, "--model", tiny_model, "--out", 0)
    for number in range(2):
        done = vidstyle(*command, "--backend", "torchscript", "-o", tmp_path / f"{number}.mp4")
        assert done.code == 0, done.err
    assert len(list((tmp_path / "vidstyle" / "exported").glob("tiny-*.pt"))) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--format", "torchscript", "-o", "x.onnx"), 2, "writes .pt"),
        (("--format", "torchscript", "-o", "x.pt", "--bound", "0"), 0, "x.pt"),
        (("--format", "int8", "-o", "x.int8.onnx"), 2, "--calibrate"),
        (("--format", "onnx", "-o", "x.onnx", "--calibrate", "."), 2, "int8"),
        (("--format", "onnx", "-o", "nowhere/x.onnx"), 2, "no folder"),
        (("--format", "onnx", "--model", "nobody", "-o", "x.onnx"), 4, "nobody"),
    ],
)
def test_bad_input(
    vidstyle: Callable[..., Any],
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = vidstyle("export", "--model", tiny_model, *arguments)
    assert outcome.code == code
    assert told in outcome.err + outcome.out


def test_an_existing_file_stays(
    vidstyle: Callable[..., Any], tiny_model: Path, tmp_path: Path
) -> None:
    target = tmp_path / "x.pt"
    target.write_text("mine")
    outcome = vidstyle("export", "--format", "torchscript", "--model", tiny_model, "-o", target)
    assert outcome.code == 2
    assert "--overwrite" in outcome.err
    assert target.read_text() == "mine"
