"""Texts that no parser survives, names that are no text, and nowhere to write: one line each."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from vidstyle.errors import MediaError
from vidstyle.media.picture import read_picture

DEEP = 100_000

EDL = """TITLE: x
FCM: NON-DROP FRAME

001  AX V C 00:00:00:00 00:00:00:05 00:00:00:00 00:00:00:05
* FROM CLIP NAME: shot
* VIDSTYLE: object="person style=art.jpg
"""


@pytest.mark.parametrize(
    ("name", "text", "code", "told"),
    [
        ("deep.yaml", "[" * DEEP, 3, "nested too deeply"),
        ("deep.otio", '{"OTIO_SCHEMA": "Timeline.1", "a": ' + "[" * DEEP, 3, "nested too deeply"),
        ("open.edl", EDL, 2, "clip 'shot': VIDSTYLE: object=\"person"),
    ],
)
def test_a_list_of_shots(vidstyle, shot, style_picture, tmp_path, name, text, code, told) -> None:
    path = tmp_path / name
    path.write_text(text)
    media = ["--media", shot.clip.parent, "--rate", 25] if name.endswith("edl") else []
    outcome = vidstyle("batch", path, "--style", style_picture, *media, "--dry-run")
    assert outcome.code == code
    assert outcome.err.splitlines()[-1].startswith(f"vidstyle: {path}")
    assert told in outcome.err


def test_a_recipe(vidstyle, tmp_path: Path) -> None:
    recipe = tmp_path / "deep.toml"
    recipe.write_text("a = " + "[" * DEEP + "]" * DEEP)
    outcome = vidstyle("train", "--config", recipe, "-o", tmp_path / "model")
    assert outcome.code == 2
    assert f"{recipe}: cannot be read as TOML (nested too deeply)" in outcome.err


@pytest.fixture
def latin(tmp_path: Path) -> Path:
    """A folder for files of old archives."""
    folder = tmp_path / "latin"
    folder.mkdir()
    try:
        (folder / os.fsdecode(b"\xe9")).touch()
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    (folder / os.fsdecode(b"\xe9")).unlink()
    return folder


def test_names_that_are_no_text(
    vidstyle, shot, style_picture, tiny_model, latin: Path, tmp_path: Path
) -> None:
    """A render goes through, and all that is written of it."""
    named = latin / os.fsdecode(b"caf\xe9.mp4")
    named.write_bytes(shot.clip.read_bytes())
    given = ("--style", style_picture, "--model", tiny_model, "--device", "cpu", "--out", 1)
    made, report = latin / os.fsdecode(b"fin\xe9.mp4"), tmp_path / "report.json"
    outcome = vidstyle("render", named, *given, "-o", made, "--report", report)
    assert (outcome.code, made.is_file()) == (0, True)
    assert "udce9" in report.read_text(encoding="utf-8")
    assert vidstyle("batch", latin, *given, "-o", tmp_path / "styled").code == 0
    assert "udce9" in (tmp_path / "styled" / "contact_sheet.html").read_text(encoding="utf-8")
    scores = tmp_path / "scores.json"
    assert vidstyle("evaluate", named, named, "--json", scores).code == 0
    picture = latin / os.fsdecode(b"caf\xe9.png")
    picture.write_bytes(style_picture.read_bytes())
    told = ("-o", tmp_path / "still.png", "--report", tmp_path / "still.json")
    assert vidstyle("still", picture, *given[:-2], *told).code == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("asked", ["--version", "--help"])
def test_a_full_disk_below_standard_output(asked: str) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "vidstyle", asked],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert ended.returncode == 3
    assert ended.stderr.count("\n") == 1
    assert "free the disk" in ended.stderr


def test_no_folder_for_temporary_files(vidstyle, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", None)
        patch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere"])
        outcome = vidstyle("ui")
    assert outcome.code == 3
    assert outcome.err.splitlines()[-1] == ("vidstyle: no temporary folder is writable; set TMPDIR")


def test_a_damaged_exr_that_names_no_text(tmp_path: Path) -> None:
    oiio = pytest.importorskip("OpenImageIO")
    path = tmp_path / "plate.exr"
    output = oiio.ImageOutput.create(str(path))
    output.open(str(path), oiio.ImageSpec(8, 8, 3, "half"))
    output.write_image(np.zeros((8, 8, 3), np.float32))
    output.close()
    path.write_bytes(path.read_bytes().replace(b"chlist", b"ch\xe9ist"))
    with pytest.raises(MediaError, match=r"plate\.exr: .*export it again"):
        read_picture(path)
