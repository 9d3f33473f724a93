"""The example of a plug-in, installed as a package, renders."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vidstyle.video.reader import open_clip

ROOT = Path(__file__).parents[2]


def run(*arguments: object, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    where = os.pathsep.join(
        filter(None, [str(path or ""), str(ROOT), os.environ.get("PYTHONPATH")])
    )
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": where},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_render_uses_the_installed_package(shot, negative: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    source, site = tmp_path / "source", tmp_path / "site"
    source.mkdir()
    for file in ("pyproject.toml", "vidstyle_onnx.py"):
        (source / file).write_bytes((ROOT / "examples/vidstyle_onnx" / file).read_bytes())
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", site)
    installed = run("pip", "install", *options, source)
    assert installed.returncode == 0, installed.stderr
    target = tmp_path / "out.%04d.png"
    parts = ("--model", "onnx", "--style", negative, "--device", "cpu", "--temporal", "off")
    report = tmp_path / "report.json"
    listed = run("vidstyle", "models", "list", path=site)
    assert "vidstyle-onnx 0.1.0" in listed.stdout
    told = (*parts, "--out", 1, "-o", target, "--report", report)
    done = run("vidstyle", "render", shot.clip, *told, path=site)
    assert done.returncode == 0, done.stderr
    assert "vidstyle-onnx 0.1.0" in report.read_text()
    frames = zip(
        open_clip(str(shot.clip)).frames(0, 2), open_clip(str(target)).frames(), strict=True
    )
    for plate, result in frames:
        off = result.image.numpy().astype(int) - (255 - plate.image.numpy().astype(int))
        assert np.abs(off).max() <= 1
