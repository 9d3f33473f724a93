"""A clip that breaks off: told of and in the report, and with --strict no run."""

import json
from pathlib import Path

import pytest

from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.writer import open_writer


@pytest.fixture
def cut(shot, tmp_path: Path) -> Path:
    """The second half of the file is missing."""
    whole, path = open_clip(str(shot.clip)), tmp_path / "cut.mkv"
    with open_writer(str(path), whole.info) as writer:
        for frame in whole.frames():
            writer.write(frame)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def test_it_is_told_of_or_refused(
    vidstyle, cut: Path, style_picture: Path, tiny_model: Path, tmp_path: Path, caplog
) -> None:
    target, report = tmp_path / "styled.mp4", tmp_path / "report.json"
    render = (
        *("render", cut, "--style", style_picture, "--model", tiny_model, "--device", "cpu"),
        *("-o", target, "--report", report),
    )
    refused = vidstyle(*render, "--strict")
    assert refused.code == 3
    assert "bytes of the file are missing" in refused.err
    assert refused.err.endswith("copy or export it again, or leave out --strict\n")
    assert not target.exists()
    caplog.clear()
    assert vidstyle(*render).code == 0
    assert f"{cut}: ends" in caplog.text
    found = json.loads(report.read_text())["input"]
    assert 0 < found["frames"] < 16
    assert found["damage"]["short"] > 0
    assert found["damage"]["missing"] > 0
