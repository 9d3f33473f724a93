"""Bad input of every kind: one line that says what is wrong, the right exit code, and no trace."""

import errno
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch

from vidstyle.models import weights

USAGE, MEDIA, WEIGHTS, DEVICE, NOT_FOUND, BATCH = 2, 3, 4, 5, 6, 8

GOOD = "{clip} --style {style}"

LONG = 300 * "x"

CASES = {
    # The clip.
    "name longer than any file's": (
        f"{LONG}.mp4 --style {{style}}",
        USAGE,
        "file name is too long",
    ),
    "missing file": ("{bad}/none.mp4 --style {style}", MEDIA, "no such file"),
    "folder without pictures": ("{bad}/empty --style {style}", MEDIA, "no pictures in it"),
    "pattern without files": ("{bad}/none.####.png --style {style}", MEDIA, "matches no file"),
    "sequence of two sizes": ("{bad}/mixed --style {style}", MEDIA, "make them all alike"),
    "text renamed mp4": ("{bad}/text.mp4 --style {style}", MEDIA, "text, not a video"),
    "truncated mp4": ("{bad}/cut.mp4 --style {style}", MEDIA, "cut short"),
    "zero bytes": ("{bad}/zero.mp4 --style {style}", MEDIA, "0 bytes"),
    "audio only": ("{bad}/sound.mp4 --style {style}", MEDIA, "no video in it"),
    "range the wrong way round": (GOOD + " --in 9 --out 3", USAGE, "the range is empty"),
    "range that is no number": (GOOD + " --in soon", USAGE, "--in soon: give a frame number"),
    "timecode after the end": (GOOD + " --in 01:00:00:00", USAGE, "not in"),
    "range after the end": (GOOD + " --in 99", USAGE, "has fewer frames"),
    # The style.
    "no style": ("{clip}", USAGE, "--style"),
    "missing style": ("{clip} --style {bad}/none.jpg", MEDIA, "no such style picture"),
    "style that is a folder": ("{clip} --style {bad}/mixed", MEDIA, "no such style picture"),
    "unreadable style": ("{clip} --style {bad}/text.jpg", MEDIA, "not a picture"),
    "style of one pixel": ("{clip} --style {bad}/pixel.png", MEDIA, "1x1"),
    "fewer styles than objects": (
        GOOD + " --style {style} --object box:0,0,9,9 --object box:0,0,9,9 --object point:1,1",
        USAGE,
        "3 objects but 2 styles",
    ),
    # The object.
    "box outside the frame": (GOOD + " --object box:100,50,300,90", USAGE, "160x96"),
    "point outside the frame": (GOOD + " --object point:160,10", USAGE, "160x96"),
    "prompt after the end": (GOOD + " --object point:9,9@16", USAGE, "frames are 0 to 15"),
    "prompt before the range": (
        GOOD + " --in 5 --object point:9,9",
        USAGE,
        "frames are 5 to 15",
    ),
    "malformed box": (GOOD + " --object box:1,2,3", USAGE, "box:x0,y0,x1,y1"),
    "box of no area": (GOOD + " --object box:9,9,9,20", USAGE, "x0 < x1"),
    "unknown kind of prompt": (GOOD + " --object blob:1,2", USAGE, "unknown kind"),
    "empty prompt": (GOOD + " --object ''", USAGE, "a prompt is empty"),
    "empty mask": (GOOD + " --object mask:{bad}/black.png", NOT_FOUND, "the mask is empty"),
    "mask of another size": (GOOD + " --object mask:{bad}/large.png", MEDIA, "200x100"),
    "missing mask": (GOOD + " --object mask:{bad}/none.png", MEDIA, "none.png: missing"),
    "mask that is no picture": (GOOD + " --object mask:{bad}/text.jpg", MEDIA, "not a picture"),
    "missing mattes": (GOOD + " --object matte:{bad}/none.%04d.png", MEDIA, "matches no file"),
    "too few mattes": (GOOD + " --object matte:{bad}/mattes", MEDIA, "1 mattes for frames 0 to 15"),
    "name without a detector": (GOOD + " --object person", WEIGHTS, "vidstyle models fetch"),
    # The output.
    "missing output folder": (GOOD + " -o {out}/none/a.mp4", USAGE, "there is no folder"),
    "unwritable output folder": (GOOD + " -o {unwritable}/a.mp4", USAGE, "cannot write in"),
    "output that is a folder": (GOOD + " -o {out}", USAGE, "a folder"),
    "output that is the input": (GOOD + " -o {clip} --overwrite", USAGE, "the input itself"),
    "output that exists": (GOOD + " -o {style}", USAGE, "add --overwrite"),
    "unknown container": (GOOD + " -o {out}/a.wmv", USAGE, ".wmv cannot be written"),
    "one picture for a clip": (GOOD + " -o {out}/a.png", USAGE, "cannot hold 16 frames"),
    "mattes over the output": (GOOD + " --matte-out {out}/styled.mp4", USAGE, "is the output"),
    "mattes over the input": (
        GOOD + " --matte-out {clip} --overwrite",
        USAGE,
        "the input itself",
    ),
    "missing report folder": (GOOD + " --report {out}/none/a.json", USAGE, "there is no folder"),
    # The parts.
    "unknown codec": (GOOD + " --codec vp6", USAGE, "no such preset"),
    "codec that the container refuses": (GOOD + " --codec prores", USAGE, ".mp4 cannot hold it"),
    "codec that refuses the size": (
        GOOD + " --codec dnxhr-hqx -o {out}/a.mov",
        USAGE,
        "at least 256x120",
    ),
    "output longer than any file's": (
        GOOD + f" -o {{out}}/{LONG}.mp4",
        USAGE,
        "file name is too long",
    ),
    "frames longer than any file's": (
        GOOD + f" -o {{out}}/{LONG[:248]}.%d.png",
        USAGE,
        "file name is too long",
    ),
    "codec for pictures": (GOOD + " -o {out}/%04d.png --codec h264", USAGE, "pictures take none"),
    "no such device": (GOOD + " --device cuda:99", DEVICE, "CUDA devices"),
    "no device's name": (GOOD + " --device abacus", DEVICE, "no such device"),
    "strength out of range": (GOOD + " --strength 1.5", USAGE, "between 0 and 1"),
    "detail out of range": (GOOD + " --detail 1.5", USAGE, "--detail 1.5: must lie"),
    "detail that is no number": (GOOD + " --detail nan", USAGE, "--detail nan: must lie"),
    "style scale out of range": (GOOD + " --style-scale 5", USAGE, "--style-scale 5: must lie"),
    "strength that is no number": (GOOD + " --strength nan", USAGE, "between 0 and 1"),
    "batch of none": (GOOD + " --batch 0", USAGE, "--batch"),
    "unknown option": (GOOD + " --brush 3", USAGE, "--brush"),
    "missing model": (GOOD + " --model none", WEIGHTS, "no such style model"),
    "corrupt model": (GOOD + " --model {bad}/corrupt", WEIGHTS, "sha256"),
    "flow without weights": (GOOD + " --flow raft-small", WEIGHTS, "models fetch raft-small"),
    "segmenter without weights": (GOOD + " --segmenter sam", WEIGHTS, "models fetch sam"),
}


@pytest.fixture(scope="module")
def bad(shot, tiny_model, tmp_path_factory) -> Path:
    """A folder of everything that is wrong."""
    folder = tmp_path_factory.mktemp("bad")
    for name in ("empty", "mixed", "mattes", "corrupt"):
        (folder / name).mkdir()
    for name in ("text.mp4", "text.jpg"):
        (folder / name).write_text("a shopping list: milk, bread, a reel of film\n" * 99)
    (folder / "zero.mp4").touch()
    whole = shot.clip.read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    _keep_sound_alone(shot.clip, folder / "sound.mp4")
    for name, size in {
        "pixel.png": (1, 1),
        "black.png": shot.size,
        "large.png": (100, 200),
        "mixed/0001.png": (64, 64),
        "mixed/0002.png": (64, 80),
        "mattes/0001.png": shot.size,
    }.items():
        cv2.imwrite(str(folder / name), np.zeros(size, np.uint8))
    for file in tiny_model.iterdir():
        content = file.read_bytes()
        damaged = file.suffix == ".safetensors"
        (folder / "corrupt" / file.name).write_bytes(content[:-1] + b"?" if damaged else content)
    return folder


@pytest.fixture
def no_weights(monkeypatch, tmp_path_factory) -> None:
    """No weights but those that ship with vidstyle."""
    nothing = str(tmp_path_factory.mktemp("nothing"))
    for variable in ("VIDSTYLE_MODEL_PATH", "TORCH_HOME"):
        monkeypatch.setenv(variable, nothing)
    monkeypatch.setattr(weights, "cache_folder", lambda: Path(nothing))


@pytest.fixture
def arguments(
    bad, shot, style_picture, tiny_model, tmp_path, monkeypatch
) -> Callable[[str], list[str]]:
    """The whole command line of a case. What it renders would go to ``tmp_path``, and temporary
    files too."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    unwritable = bad / "empty"
    unwritable.chmod(0o555)
    places = {
        "bad": bad,
        "clip": shot.clip,
        "style": style_picture,
        "out": tmp_path,
        # Permission bits do not hold the superuser back; the kernel's own folder does.
        "unwritable": "/proc" if _may_write(unwritable) else unwritable,
    }
    base = f"-q render --model {tiny_model} --device cpu --batch 4 -o {tmp_path}/styled.mp4"
    return lambda case: shlex.split(f"{base} {case.format_map(places)}")


@pytest.mark.usefixtures("no_weights")
@pytest.mark.parametrize(("case", "code", "says"), CASES.values(), ids=CASES.keys())
def test_one_line_the_right_code_and_nothing_left(
    case: str, code: int, says: str, arguments, vidstyle, tmp_path: Path, shot
) -> None:
    before = shot.clip.read_bytes()
    outcome = vidstyle(*arguments(case))
    assert outcome.code == code, outcome.err
    (line,) = outcome.err.splitlines()
    assert line.startswith("vidstyle: ")
    assert says in line
    assert not outcome.out
    assert not list(tmp_path.iterdir())
    assert shot.clip.read_bytes() == before


def test_the_longest_of_names_is_written(vidstyle, shot, style_picture, tiny_model, tmp_path):
    target, report = tmp_path / f"{LONG[:251]}.mkv", tmp_path / f"{LONG[:250]}.json"
    options = ("--style", style_picture, "--model", tiny_model, "--device", "cpu", "--out", 0)
    outcome = vidstyle("-q", "render", shot.clip, *options, "-o", target, "--report", report)
    assert outcome.code == 0, outcome.err
    assert sorted(p for p in tmp_path.iterdir() if p.name[0] != ".") == sorted([target, report])


@pytest.mark.usefixtures("no_weights")
@pytest.mark.parametrize(
    "case",
    ["truncated mp4", "unreadable style", "box outside the frame", "corrupt model"],
)
def test_a_dry_run_refuses_it_as_well(case: str, arguments, vidstyle) -> None:
    text, code, says = CASES[case]
    outcome = vidstyle(*arguments(text), "--dry-run")
    assert outcome.code == code
    assert says in outcome.err


def test_unknown_class(arguments, vidstyle, tmp_path: Path) -> None:
    if weights.find("yolov3-tiny") is None:
        pytest.skip("the detector's weights are not on this machine")
    outcome = vidstyle(*arguments(GOOD + " --object persn --segmenter grabcut"))
    assert outcome.code == NOT_FOUND
    (line,) = outcome.err.splitlines()
    assert "person" in line
    assert not list(tmp_path.iterdir())


def test_the_installed_module_answers_alike(arguments, tmp_path: Path) -> None:
    text, code, says = CASES["text renamed mp4"]
    command = [sys.executable, "-m", "vidstyle", *arguments(text)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code
    (line,) = done.stderr.splitlines()
    assert says in line
    assert not list(tmp_path.iterdir())


def test_memory_that_is_not_there(arguments, vidstyle, monkeypatch, tmp_path: Path) -> None:
    def greedy(*_: object) -> torch.Tensor:
        return torch.empty(2**58, dtype=torch.uint8)

    monkeypatch.setattr("vidstyle.pipeline.job.run", greedy)
    outcome = vidstyle(*arguments(GOOD))
    assert outcome.code == DEVICE
    (line,) = outcome.err.splitlines()
    assert "--batch" in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("reason", ["EACCES", "EPERM", "EIO", "ESTALE", "ENOTCONN"])
def test_a_file_that_the_system_refuses(arguments, vidstyle, monkeypatch, reason: str) -> None:
    def refused(*_: object) -> None:
        raise OSError(getattr(errno, reason), "refused", "/plates/a.mp4")

    monkeypatch.setattr("vidstyle.pipeline.job.run", refused)
    outcome = vidstyle(*arguments(GOOD))
    assert outcome.code == MEDIA
    (line,) = outcome.err.splitlines()
    assert "/plates/a.mp4: cannot be read (refused)" in line


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("render {bad}/text.mp4 --style {style} -o {out}/a.mp4", MEDIA),
        ("still {bad}/text.jpg --style {style} -o {out}/a.png", MEDIA),
        ("batch {out}/shots.csv --style {style} -o {out}", BATCH),
        ("evaluate {bad}/text.mp4 {bad}/text.mp4", MEDIA),
        ("train --content {bad}/empty --styles {bad}/empty -o {out}/model", MEDIA),
        ("train --shot {bad}/text.mp4 --style {style} -o {out}/model", MEDIA),
    ],
)
def test_a_farm_is_told_of_it_too(
    command: str, code: int, bad: Path, style_picture: Path, vidstyle, tmp_path: Path
) -> None:
    (tmp_path / "shots.csv").write_text(f"source\n{bad}/text.mp4\n")
    words = shlex.split(command.format(bad=bad, style=style_picture, out=tmp_path))
    outcome = vidstyle("-q", *words, "--progress", "openjd")
    assert outcome.code == code, outcome.err
    assert outcome.out.splitlines()[-1].startswith("openjd_fail: ")


def _keep_sound_alone(clip: Path, path: Path) -> None:
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)


def _may_write(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except PermissionError:
        return False
