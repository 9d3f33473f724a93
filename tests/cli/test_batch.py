"""``vidstyle batch`` from end to end: an edit of four shots, killed and resumed; bad shots."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import opentimelineio as otio
import pytest
import skimage.data
from opentimelineio.opentime import RationalTime, TimeRange

from vidstyle.media.video.reader import open_clip

FILM = Fraction(24000, 1001)


def _plate(path: Path, number: int) -> None:
    """Twenty frames of a pan over a photograph, from 01:00:<number>0:00 on."""
    photograph = getattr(skimage.data, ("astronaut", "chelsea", "coffee", "rocket")[number % 4])()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FILM, width=96, height=64)
        stream.metadata["timecode"] = f"01:00:{number}0:00"
        for step in range(20):
            crop = np.ascontiguousarray(photograph[80:144, 2 * step : 2 * step + 96])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(crop)))
        container.mux(stream.encode(None))


@pytest.fixture
def edit(tmp_path: Path) -> Path:
    """A timeline that takes frames 5 to 10 of each of four plates."""
    timeline = otio.schema.Timeline("cut")
    timeline.tracks.append(track := otio.schema.Track("V1", kind="Video"))
    rate = 24000 / 1001
    for number in range(4):
        _plate(tmp_path / f"sh{number}.mov", number)
        start = 24 * (3600 + 10 * number)
        clip = otio.schema.Clip(
            f"sh{number}",
            otio.schema.ExternalReference(
                f"sh{number}.mov", TimeRange(RationalTime(start, rate), RationalTime(20, rate))
            ),
            TimeRange(RationalTime(start + 5, rate), RationalTime(6, rate)),
        )
        track.append(clip)
    track[1].metadata["vidstyle"] = {"object": "box:20,10,60,50@5", "strength": 0.5}
    otio.adapters.write_to_file(timeline, str(tmp_path / "cut.otio"))
    return tmp_path / "cut.otio"


@pytest.fixture
def options(style_picture: Path, tiny_model: Path) -> tuple[object, ...]:
    """The same for every shot."""
    return "--style", style_picture, "--model", tiny_model, "--device", "cpu", "--batch", 4


def _states(out: str) -> dict[str, str]:
    """Of each shot in the table."""
    return {line.split()[0]: line.split()[1] for line in out.splitlines()[1:-1]}


def _records(root: Path) -> dict[str, str]:
    """The state of each shot as it was remembered."""
    found = {}
    for path in (root / ".vidstyle").glob("*.json"):
        found[path.stem] = json.loads(path.read_text())["state"]
    return found


def test_killed_in_the_middle_it_goes_on_with_what_is_not_finished(
    vidstyle: Callable, edit: Path, options: tuple[object, ...]
) -> None:
    root = edit.with_name("cut.styled")
    process = subprocess.Popen(
        [sys.executable, "-m", "vidstyle", "-q", "batch", str(edit), *map(str, options)],
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 240
        while list(_records(root).values()).count("done") < 1 or len(_records(root)) < 2:
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    finished = {name for name, state in _records(root).items() if state == "done"}
    assert finished
    assert len(finished) < 4
    before = {name: (root / f"{name}.mov").stat() for name in finished}

    outcome = vidstyle("-q", "batch", edit, *options)
    assert outcome.code == 0, outcome.err
    expected = {f"sh{n}": "kept" if f"sh{n}" in finished else "done" for n in range(4)}
    assert _states(outcome.out) == expected
    for name, stat in before.items():
        now = (root / f"{name}.mov").stat()
        assert (now.st_ino, now.st_mtime_ns) == (stat.st_ino, stat.st_mtime_ns)
    assert sorted(path.name for path in root.iterdir()) == [
        ".vidstyle", "contact_sheet.html", "sh0.mov", "sh1.mov", "sh2.mov", "sh3.mov",
    ]  # fmt: skip
    for number in range(4):
        reader = open_clip(str(root / f"sh{number}.mov"))
        assert reader.info.timecode == f"01:00:{number}0:05"
        assert len(list(reader.frames())) == 6
    report = json.loads((root / ".vidstyle/sh1.json").read_text())["report"]
    assert report["objects"][0]["object"] == "box:20,10,60,50@5"
    assert report["options"]["strength"] == 0.5
    page = (root / "contact_sheet.html").read_text()
    assert page.count("<article>") == 4
    assert page.count("data:image/jpeg") == 4 * 3


def test_what_changed_is_rendered_again_and_nothing_else(
    vidstyle: Callable, edit: Path, options: tuple[object, ...], other_style_picture: Path
) -> None:
    root = edit.with_name("out")
    table = edit.with_name("shots.csv")
    table.write_text(f"source,out,style\nsh0.mov,3,\nsh1.mov,3,{other_style_picture}\n")
    call = ("-q", "batch", table, "-o", root, *options)
    assert vidstyle(*call).code == 0
    assert _states(vidstyle(*call).out) == {"sh0": "kept", "sh1": "kept"}
    # A plate that comes again from the scanner, an output that was damaged, a look that changed.
    _plate(edit.with_name("sh0.mov"), 2)
    assert _states(vidstyle(*call).out) == {"sh0": "done", "sh1": "kept"}
    (root / "sh1.mov").write_bytes(b"")
    assert _states(vidstyle(*call).out) == {"sh0": "kept", "sh1": "done"}
    shutil.copy(edit.with_name("sh0.mov"), edit.with_name("sh9.mov"))
    table.write_text(table.read_text().replace("sh1.mov,3", "sh1.mov,2") + "sh9.mov,1,\n")
    assert _states(vidstyle(*call).out) == {"sh0": "kept", "sh1": "done", "sh9": "done"}
    assert len(list(open_clip(str(root / "sh1.mov")).frames())) == 3


def test_a_bad_shot_does_not_stop_the_others(
    vidstyle: Callable, edit: Path, options: tuple[object, ...]
) -> None:
    edit.with_name("broken.mov").write_bytes(b"not a film")
    table = edit.with_name("shots.yaml")
    table.write_text(
        """
- {source: broken.mov}
- {source: gone.mov}
- {source: sh0.mov, out: 2, object: "box:900,0,999,9"}
- {source: sh1.mov, in: "02:00:00:00"}
- {source: sh2.mov, out: 2, style: none.jpg}
- {source: sh3.mov, name: "../<b>good</b>", out: 2}
"""
    )
    outcome = vidstyle("-q", "batch", table, *options)
    assert outcome.code == 8
    assert outcome.err.splitlines()[-1] == (
        "vidstyle: 5 of 6 shots failed (broken, gone, sh0, sh1, sh2); "
        "fix them and run the same command again"
    )
    assert "Traceback" not in outcome.err
    for reason in ("text, not a video", "no such file", "96x64", "not in", "no such style picture"):
        assert reason in outcome.out
    root = edit.with_name("shots.styled")
    assert {path.name for path in root.iterdir()} == {
        ".vidstyle", "contact_sheet.html", "b_.mov",
    }  # fmt: skip
    page = (root / "contact_sheet.html").read_text()
    assert page.count('class="note failed"') == 5
    assert "<b>good" not in page


def test_a_sequence_that_becomes_shorter_leaves_no_old_frames(
    vidstyle: Callable, edit: Path, options: tuple[object, ...]
) -> None:
    """Even after an attempt that failed."""
    for frame in open_clip(str(edit.with_name("sh0.mov"))).frames(0, 4):
        folder = edit.with_name("plates") / "sh5"
        folder.mkdir(parents=True, exist_ok=True)
        picture = av.VideoFrame.from_ndarray(frame.image.numpy())
        picture.save(folder / f"p.{1001 + frame.index}.png")
    root = edit.with_name("out")
    call = ("-q", "batch", folder.parent, "-o", root, *options)
    assert vidstyle(*call, "--out", 3).code == 0
    assert len(list((root / "sh5").iterdir())) == 4
    assert vidstyle(*call, "--out", 1, "--object", "box:900,0,999,9").code == 8
    assert vidstyle(*call, "--out", 1).code == 0
    assert [path.name for path in sorted((root / "sh5").iterdir())] == [
        "sh5.1001.png", "sh5.1002.png",
    ]  # fmt: skip


def test_what_is_not_its_own_is_not_replaced(
    vidstyle: Callable, edit: Path, options: tuple[object, ...]
) -> None:
    root = edit.with_name("out")
    root.mkdir()
    (root / "sh0.mov").write_bytes(b"somebody's")
    call = ("-q", "batch", edit, "-o", root, "--only", "sh0", *options)
    outcome = vidstyle(*call)
    assert outcome.code == 8
    assert "this batch did not write it" in outcome.out
    assert (root / "sh0.mov").read_bytes() == b"somebody's"
    assert vidstyle(*call, "--overwrite").code == 0
    assert vidstyle(*call, "--only", "sh7").code == 2


def test_the_sheet_shows_every_shot_and_replaces_only_a_sheet(
    vidstyle: Callable,
    edit: Path,
    options: tuple[object, ...],
    caplog: pytest.LogCaptureFixture,
) -> None:
    root = edit.with_name("out")
    sheet = root / "contact_sheet.html"
    call = ("-q", "batch", edit, "-o", root, *options)
    assert vidstyle(*call, "--only", "sh0").code == 0
    first = sheet.read_text(encoding="utf-8")
    assert "1 rendered, " in first
    assert " not rendered" in first
    assert vidstyle(*call, "--only", "sh1").code == 0
    assert "1 rendered, 1 finished before" in sheet.read_text(encoding="utf-8")
    sheet.write_text("somebody's", encoding="utf-8")
    assert vidstyle(*call, "--only", "sh0").code == 0
    assert "is no contact sheet" in caplog.text
    assert sheet.read_text(encoding="utf-8") == "somebody's"


def test_a_dry_run_tells_the_shots_and_writes_nothing(
    vidstyle: Callable, edit: Path, options: tuple[object, ...]
) -> None:
    before = set(edit.parent.iterdir())
    outcome = vidstyle("batch", edit, "--dry-run", "--codec", "ffv1", *options)
    assert outcome.code == 0
    assert [line.split()[0] for line in outcome.out.splitlines()] == [
        "shot", "sh0", "sh1", "sh2", "sh3",
    ]  # fmt: skip
    assert "cut.styled/sh3.mkv" in outcome.out
    assert set(edit.parent.iterdir()) == before


def test_a_shot_that_the_clip_is_too_short_for_is_reported(
    vidstyle, tmp_path, options, caplog
) -> None:
    _plate(tmp_path / "sh0.mov", 0)
    (tmp_path / "shots.csv").write_text(
        "source,name,in,out,handles\nsh0.mov,over,15,24,0\nsh0.mov,near,10,17,4\n"
    )
    done = vidstyle("batch", tmp_path / "shots.csv", "-o", tmp_path / "out", *options)
    assert done.code == 0, done.err
    assert "shot over: 5 frames missing at its end, since the clip ends at frame 19" in caplog.text
    assert "shot near:" not in caplog.text
    page = (tmp_path / "out" / "contact_sheet.html").read_text()
    assert "5 frames missing" in page


def test_a_missing_style_for_all_shots_is_reported_once(vidstyle, tmp_path, tiny_model) -> None:
    for number in range(2):
        _plate(tmp_path / f"sh{number}.mov", number)
    options = ("--style", tmp_path / "none.jpg", "--model", tiny_model)
    done = vidstyle("batch", tmp_path, "-o", tmp_path / "out", *options)
    assert done.code == 3
    assert done.err.count("none.jpg: no such style picture") == 1
