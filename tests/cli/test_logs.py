"""``--log-json``: what a farm's log says of each line."""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path


def test_every_line_is_json_and_tells_where(
    vidstyle, shot, style_picture, tiny_model, tmp_path: Path
) -> None:
    settings = (
        shot.clip, "--style", style_picture, "--object", f"matte:{shot.mattes}", "--model",
        tiny_model, "--device", "cpu", "--batch", 4, "--segment", 6, "--preroll", 3,
    )  # fmt: skip
    work = tmp_path / "work"
    assert vidstyle("-q", "analyse", *settings, "--work", work).code == 0
    command = ["--log-json", "segment-render", shot.clip, "--work", work, "--segments", "1"]
    command = [sys.executable, "-m", "vidstyle", *map(str, command)]
    said = [json.loads(line) for line in log_of(command, 0)]
    for line in said:
        assert datetime.fromisoformat(line["time"]).tzinfo is not None
        assert line["memory"] > 1
    staged = [line for line in said if "seconds" in line and "frame" in line]
    assert {line["stage"] for line in staged} >= {"style", "flow", "temporal", "composite"}
    assert {line["frame"] for line in staged} == {3, 7, 11}
    assert {(line["shot"], line["segment"]) for line in staged} == {(0, 1)}
    command[-1] = "9"
    failed = json.loads(log_of(command, 2)[-1])
    assert failed["level"] == "error"
    assert "last segment" in failed["message"]


def log_of(command: list[str], code: int) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == code, done.stderr
    return done.stderr.splitlines()
