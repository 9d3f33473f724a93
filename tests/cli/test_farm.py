"""``analyse``, ``segment-render`` and ``join``: one shot on many machines, as on one."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch

from vidstyle.farm.rendered import read_sidecar, write_sidecar
from vidstyle.farm.work import WorkFolder
from vidstyle.models import weights
from vidstyle.style.micro import Architecture, MicroNetwork
from vidstyle.train.save import save_model

Run = Callable[..., str]
Content = list[tuple[int, int | None, bytes]]
GRID = ("--segment", 6, "--preroll", 3, "--batch", 4)


@pytest.fixture
def run(vidstyle) -> Run:
    """A command that must succeed; what it said."""

    def call(*arguments: object) -> str:
        outcome = vidstyle("-q", *arguments)
        assert outcome.code == 0, outcome.err
        return outcome.out

    return call


@pytest.fixture
def settings(shot, style_picture, tiny_model) -> tuple[object, ...]:
    """What ``render`` and ``analyse`` are told, the clip first."""
    return (
        shot.clip, "--style", style_picture, "--model", tiny_model, "--device", "cpu",
        "--object", f"matte:{shot.mattes}", "--codec", "ffv1", *GRID,
    )  # fmt: skip


@pytest.fixture
def work(run, settings, tmp_path: Path) -> Path:
    """An analysed clip: segments 0-5, 6-11 and 12-15."""
    folder = tmp_path / "work"
    assert "segments 0-2" in run("analyse", *settings, "--work", folder)
    return folder


@pytest.fixture
def one_go(run, settings, tmp_path: Path) -> Content:
    """What one render of the grid writes."""
    target = tmp_path / "one.mkv"
    run("render", *settings, "-o", target)
    return content(target)


def content(path: Path) -> Content:
    """Times and content of all packets, sound's too. (x264 does not repeat itself to the bit.)"""
    with av.open(str(path)) as container:
        return [(p.stream.index, p.pts, bytes(p)) for p in container.demux()]


def test_joined_segments_are_the_render_of_the_grid(
    run, shot, work: Path, one_go: Content, tmp_path: Path
) -> None:
    """Bit for bit, with sound and times, in whatever order segments come."""
    for segments in ("1-2", "0"):
        run("segment-render", shot.clip, "--work", work, "--segments", segments)
    run("join", shot.clip, "--work", work, "-o", tmp_path / "joined.mkv")
    assert content(tmp_path / "joined.mkv") == one_go
    assert not list(work.rglob(".*"))


def test_what_is_whole_is_left_alone(run, settings, shot, work: Path) -> None:
    command = ("segment-render", shot.clip, "--work", work, "--segments", "0-1")
    run(*command)
    before = {path: path.stat().st_ino for path in work.rglob("*.*")}
    run(*command)
    run("analyse", *settings, "--work", work)
    assert {path: path.stat().st_ino for path in work.rglob("*.*")} == before


@pytest.mark.parametrize(
    ("option", "value"), [("strength", 0.5), ("detail", 0.7), ("style_scale", 2.0)]
)
def test_other_settings_are_refused_without_overwrite(
    vidstyle, run, settings, shot, work: Path, option: str, value: float
) -> None:
    run("segment-render", shot.clip, "--work", work, "--segments", "0")
    other = ("analyse", *settings, "--work", work, f"--{option.replace('_', '-')}", value)
    refused = vidstyle(*other)
    assert refused.code == 2
    assert "--overwrite" in refused.err
    run(*other, "--overwrite")
    assert json.loads((work / "manifest.json").read_text())["options"][option] == value
    assert not list((work / "segments").iterdir())


def test_touched_up_mattes_are_other_settings(
    vidstyle, run, settings, shot, tmp_path: Path
) -> None:
    """Though the command is the same to the letter."""
    folder = tmp_path / "mattes"
    shutil.copytree(Path(shot.mattes).parent, folder, ignore=shutil.ignore_patterns("*.mp4"))
    command = ("analyse", *settings, "--object", f"matte:{folder}", "--work", tmp_path / "work")
    run(*command)
    matte = cv2.imread(str(folder / "matte.0003.png"), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(folder / "matte.0003.png"), cv2.dilate(matte, np.ones((5, 5))))
    assert vidstyle(*command).code == 2


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone", "sidecar gone", "sidecar cut"])
def test_a_damaged_segment_is_found_and_repaired(
    vidstyle, run, shot, work: Path, one_go: Content, tmp_path: Path, damage: str
) -> None:
    run("segment-render", shot.clip, "--work", work, "--segments", "0-2")
    file = work / "segments" / ("00001.json" if "sidecar" in damage else "00001.frames")
    whole = file.read_bytes()
    if "gone" in damage:
        file.unlink()
    else:
        middle = len(whole) // 2
        tail = b"" if "cut" in damage else bytes([whole[middle] ^ 4]) + whole[middle + 1 :]
        file.write_bytes(whole[:middle] + tail)
    target = tmp_path / "joined.mkv"
    refused = vidstyle("join", shot.clip, "--work", work, "-o", target)
    assert refused.code == 3
    assert "segment 1 of 0-2" in refused.err
    assert not target.exists()
    run("join", shot.clip, "--work", work, "-o", target, "--repair")
    assert content(target) == one_go


@pytest.mark.parametrize(
    "name", ["mattes/0/000002.png", "mattes/0.json", "statistics/0.safetensors"]
)
def test_damaged_analysis_is_told_and_made_again(
    vidstyle, run, settings, shot, work: Path, name: str
) -> None:
    whole = (work / name).read_bytes()
    (work / name).write_bytes(whole[:-20])
    refused = vidstyle("segment-render", shot.clip, "--work", work, "--segments", "0")
    assert refused.code == 3
    assert name in refused.err
    assert "analyse again" in refused.err
    run("analyse", *settings, "--work", work)
    assert (work / name).read_bytes() == whole


def test_segments_of_a_damaged_analysis_do_not_hinder_those_of_a_new_one(
    run, settings, shot, work: Path
) -> None:
    """Which may differ, as on another device."""
    run("segment-render", shot.clip, "--work", work, "--segments", "0-1")
    folder = WorkFolder(work)
    write_sidecar(folder, replace(read_sidecar(folder, 0), manifest="0" * 64))
    kept = (work / "segments" / "00001.frames").stat().st_ino
    (work / "mattes" / "0.json").unlink()
    run("analyse", *settings, "--work", work)
    run("segment-render", shot.clip, "--work", work, "--segments", "0-1")
    assert (work / "segments" / "00001.frames").stat().st_ino == kept


def test_another_clip_is_refused(vidstyle, style_picture, work: Path) -> None:
    outcome = vidstyle("segment-render", style_picture, "--work", work, "--segments", "0")
    assert outcome.code == 2
    assert "not the clip" in outcome.err


def test_a_copy_of_the_clip_elsewhere_is_the_clip(run, shot, work: Path, tmp_path: Path) -> None:
    copy = tmp_path / "mounted elsewhere.mp4"
    shutil.copyfile(shot.clip, copy)
    run("segment-render", copy, "--work", work, "--segments", "2")
    assert (work / "segments" / "00002.frames").exists()


def test_other_weights_are_refused(
    vidstyle, settings, shot, tiny_model: Path, tmp_path: Path
) -> None:
    model, work = tmp_path / "model", tmp_path / "work"
    shutil.copytree(tiny_model, model)
    assert vidstyle("analyse", *settings, "--model", model, "--work", work).code == 0
    torch.manual_seed(1)
    shutil.rmtree(model)
    network = MicroNetwork(Architecture("micro", 8, 8, 8, 8, (1, 1, 1, 1)))
    save_model(model, network, ridge=0.01, licence="CC0-1.0")
    outcome = vidstyle("segment-render", shot.clip, "--work", work, "--segments", "0")
    assert outcome.code == 4
    assert "weights that differ" in outcome.err


def test_what_cannot_be_meant_is_one_line(vidstyle, shot, work: Path, tmp_path: Path) -> None:
    cases = (
        (("--work", tmp_path / "nowhere", "--segments", "0"), "analyse' first"),
        (("--work", work, "--segments", "3"), "last segment of this clip is 2"),
        (("--work", work, "--segments", "2-1"), "2-1"),
        (("--work", work, "--segments", "../x"), "../x"),
    )
    for options, said in cases:
        outcome = vidstyle("segment-render", shot.clip, *options)
        assert outcome.code == 2
        assert said in outcome.err
        assert outcome.err.count("\n") == 1


def test_a_folder_that_leads_outside_is_refused(vidstyle, shot, work: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (work / "segments").symlink_to(outside)
    outcome = vidstyle("segment-render", shot.clip, "--work", work, "--segments", "0")
    assert outcome.code == 2
    assert "points outside" in outcome.err
    assert not list(outside.iterdir())


def test_the_whole_frame_and_a_shot_without_the_object(
    run, shot, style_picture, other_style_picture, tiny_model, tmp_path: Path
) -> None:
    """Two layers, one of them with no matte in some frames; temporal step off."""
    mattes = tmp_path / "mattes"
    mattes.mkdir()
    for index in range(len(shot.pts)):
        cv2.imwrite(str(mattes / f"{index:04}.png"), shot.matte(index) * (index > 8))
    settings = (
        shot.clip, "--style", style_picture, "--style", other_style_picture, "--object",
        f"matte:{shot.mattes}", "--object", f"matte:{mattes}", "--model", tiny_model, "--device",
        "cpu", "--temporal", "off", "--invert", "--in", 2, "--codec", "ffv1", *GRID,
    )  # fmt: skip
    one, joined, work = tmp_path / "one.mkv", tmp_path / "joined.mkv", tmp_path / "work"
    run("render", *settings, "-o", one)
    run("analyse", *settings, "--work", work)
    run("segment-render", shot.clip, "--work", work, "--segments", "0-2")
    run("join", shot.clip, "--work", work, "-o", joined)
    assert content(joined) == content(one)


def test_a_review_video_and_a_list_of_objects(
    run, vidstyle, settings, data, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    run("analyse", *settings, "--work", work, "--review")
    with av.open(str(work / "review.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 16
    refused = vidstyle("-q", "analyse", settings[0], "--work", work, "--overwrite")
    assert refused.code == 2
    assert "--style" in refused.err
    if weights.find("yolov3-tiny") is None:
        none = vidstyle("-q", "analyse", settings[0], "--work", work, "--list-objects")
        assert none.code == 4
        assert "--list-objects" in none.err
        return
    juggler = data("video/05_default_juggle.mp4")
    listed = run("analyse", juggler, "--in", 30, "--out", 37, "--work", work, "--list-objects")
    assert listed.startswith("person#1 ")
    assert listed.splitlines()[-1] == str(work / "objects.png")
    assert cv2.imread(str(work / "objects.png")).shape == (360, 640, 3)
