"""What is to be had of a finished render."""

import os
import shlex
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vidstyle.ui.results import Results
from vidstyle.ui.selection import Selection, Wish


def test_a_result_lies_over_the_plate_frame_by_frame(desk, shot, results) -> None:
    assert (results.first, results.last) == (2, 5)
    for index in (2, 5):
        plate, result = results.against_plate(index)
        assert (plate == desk.frame(index)).all()
        changed = np.abs(plate.astype(int) - result)[shot.matte(index) > 200].mean()
        assert changed > 8
    with av.open(str(results.clip)) as clip:
        *_, last = (frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0))
    assert np.abs(results.against_plate(5)[1].astype(int) - last).mean() < 2


def unpacked(results: Results, folder):
    """What lies in the archive, and the words of its command line."""
    with zipfile.ZipFile(results.pack()) as archive:
        archive.extractall(folder)
    script = (folder / "render.sh").read_text().splitlines()
    assert script[:2] == ["#!/bin/sh", 'cd "$(dirname "$0")" || exit']
    program, *words = shlex.split(script[2])
    assert program == "vidstyle"
    return words


def test_the_archive_s_command_makes_the_same_again(
    results, vidstyle, monkeypatch, tmp_path
) -> None:
    words = unpacked(results, tmp_path)
    shutil.rmtree(results.plate.parent)  # nothing is needed from elsewhere
    monkeypatch.chdir(tmp_path)
    assert vidstyle(*words).code == 0
    made, before = (tmp_path / name for name in ("shot.styled.mp4", "result/shot.styled.mp4"))
    assert made.read_bytes() == before.read_bytes()
    assert (tmp_path / "result/shot.mattes.mkv").stat().st_size > 0
    assert (tmp_path / "result/report.json").stat().st_size > 0


def test_files_of_one_name_have_two_in_the_archive(
    desk, options, shot, style_picture, other_style_picture, vidstyle, monkeypatch, tmp_path
) -> None:
    """Painted masks, styles and painted frames of several objects."""
    same = tmp_path / "elsewhere" / style_picture.name
    same.parent.mkdir()
    shutil.copy(other_style_picture, same)
    painting = tmp_path / "hero.png"
    cv2.imwrite(str(painting), np.full((*shot.size, 3), (40, 200, 90), np.uint8))
    keys = tuple((desk.keep_key(painting, 0), 0) for _ in range(2))
    boxed = Selection("box").clicked(100, 20, 0).clicked(150, 60, 0)
    brushed = Selection("brush", mask=desk.paint(shot.matte(0)))
    wishes = [Wish(brushed, style_picture, keys[:1]), Wish(boxed, same, keys[1:])]
    *_, made = desk.render(wishes, replace(options, last=1))
    words = unpacked(made, tmp_path / "all")
    monkeypatch.chdir(tmp_path / "all")
    assert Path("coffee-2.png").read_bytes() == same.read_bytes()
    assert vidstyle(*words).code == 0
    assert Path("shot.styled.mp4").read_bytes() == made.clip.read_bytes()
    assert [word for word in words if word.endswith(".png") or ".png@" in word] == [
        *("mask:brush-0.png@0", "coffee.png", "hero.0000.png@0#1"),
        *("coffee-2.png", "hero.0000-2.png@0#2"),
    ]


def test_an_object_over_a_restyled_frame_has_a_command_too(
    desk, options, style_picture, other_style_picture, vidstyle, monkeypatch, tmp_path
) -> None:
    boxed = Selection("box").clicked(30, 20, 0).clicked(70, 90, 0)
    wishes = [Wish(Selection(), style_picture), Wish(boxed, other_style_picture)]
    *_, made = desk.render(wishes, replace(options, last=1))
    words = unpacked(made, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert vidstyle(*words).code == 0
    assert Path("shot.styled.mp4").read_bytes() == made.clip.read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="no modes of files")
def test_the_script_can_be_run(results) -> None:
    with zipfile.ZipFile(results.pack()) as archive:
        assert archive.getinfo("render.sh").external_attr >> 16 == 0o755


def test_removing_a_render_leaves_what_it_was_made_of(desk, results) -> None:
    archive = results.pack()
    results.remove()
    assert not archive.exists()
    assert not any(path.exists() for path in results.made)
    assert desk.clip.exists()
