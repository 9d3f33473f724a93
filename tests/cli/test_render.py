"""``vidstyle render`` from end to end, on a small shot whose mattes are known."""

import errno
import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vidstyle.media.video.reader import open_clip
from vidstyle.models import weights

FEATHER = 2  # the default, in pixels


@pytest.fixture
def render(vidstyle, shot, style_picture, tiny_model, tmp_path: Path) -> Callable[..., str]:
    """Render the shot, or ``source``, with further options; what was said on standard output."""

    def call(*options: object, source: Path = shot.clip, style: Path = style_picture) -> str:
        parts = ("--model", tiny_model, "--device", "cpu", "--batch", 4)
        outcome = vidstyle("-q", "render", source, "--style", style, *parts, *options)
        assert outcome.code == 0, outcome.err
        assert not outcome.err
        hidden = [path.name for path in tmp_path.rglob(".*") if path.name != ".vidstyle"]
        assert not hidden, "a temporary file was left"
        return outcome.out

    return call


def pictures(source: object) -> NDArray[np.uint8]:
    """All frames of a clip or sequence, as vidstyle decodes them: (N, H, W, 3) RGB."""
    return np.stack([frame.image.numpy() for frame in open_clip(str(source)).frames()])


def packets(path: Path, kind: str) -> list[tuple[int | None, bytes]]:
    """Times and content of the packets of the first stream of a kind, without FFmpeg's padding."""
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams if s.type == kind)
        return sorted((p.pts, bytes(p)) for p in container.demux(stream) if p.size)


def video_times(path: Path) -> list[float]:
    """Seconds at which each frame is shown."""
    return [float(frame.time) for frame in open_clip(str(path)).frames()]


@pytest.fixture
def reach(shot) -> Callable[[int], NDArray[np.bool_]]:
    """Where the feathered matte of a frame may be above zero."""

    def area(index: int) -> NDArray[np.bool_]:
        kernel = np.ones((2 * FEATHER + 1, 2 * FEATHER + 1), np.uint8)
        return np.asarray(cv2.dilate(shot.matte(index), kernel) > 0)

    return area


def test_frames_times_and_sound_are_kept(render, shot, tmp_path: Path) -> None:
    target = tmp_path / "styled.mp4"
    assert render("--object", f"matte:{shot.mattes}", "-o", target) == f"{target}\n"
    assert video_times(target) == pytest.approx([pts / 12800 for pts in shot.pts])
    assert packets(target, "audio") == packets(shot.clip, "audio")
    difference = np.abs(pictures(target).astype(int) - pictures(shot.clip)).mean(axis=(1, 3))
    inside = np.stack([shot.matte(i) > 127 for i in range(len(shot.pts))]).any(axis=1)
    assert difference[inside].mean() > 4 * difference[~inside].mean()


def test_only_the_object_changes_bit_for_bit(render, shot, reach, tmp_path: Path) -> None:
    render("--object", f"matte:{shot.mattes}", "-o", tmp_path / "styled.%04d.png")
    plates, results = pictures(shot.clip), pictures(tmp_path / "styled.%04d.png")
    assert len(results) == len(plates)
    for index, (plate, result) in enumerate(zip(plates, results, strict=True)):
        outside = ~reach(index)
        assert np.array_equal(result[outside], plate[outside])
        inside = shot.matte(index) == 255
        assert (result[inside] != plate[inside]).any(axis=1).mean() > 0.95


def test_the_plates_structure_or_colours_are_kept(render, shot, tmp_path: Path) -> None:
    plate = pictures(shot.clip)[:2].astype(float)
    results = {}
    for kind in ("none", "color", "structure"):
        target = tmp_path / f"{kind}.%04d.png"
        render("--preserve", kind, "--out", 1, "--temporal", "off", "-o", target)
        results[kind] = pictures(target).astype(float)

    def off(kind: str, feature: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> float:
        return float(np.abs(feature(results[kind]) - feature(plate)).mean())

    def edges(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.diff(x, axis=2)

    def colours(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return x - x.mean(axis=3, keepdims=True)

    assert off("structure", edges) < 0.6 * off("none", edges)
    assert off("color", colours) < 0.5 * off("none", colours)


def test_strength_0_returns_the_input(render, shot, tmp_path: Path) -> None:
    render("--strength", 0, "-o", tmp_path / "same.%04d.png")
    assert np.array_equal(pictures(tmp_path / "same.%04d.png"), pictures(shot.clip))


def test_strength_lies_between(render, shot, tmp_path: Path) -> None:
    plate = pictures(shot.clip).astype(int)
    moved = []
    for strength in (0.3, 1):
        target = tmp_path / f"{strength}.####.png"
        render("--strength", strength, "--out", 3, "-o", target)
        moved.append(np.abs(pictures(target) - plate[:4]).mean())
    assert 0.15 * moved[1] < moved[0] < 0.6 * moved[1]


def test_detail_1_keeps_more_of_the_plates_than_0(render, shot, tmp_path: Path) -> None:
    plate = pictures(shot.clip)[:1]
    off = []
    for detail in (0, 0.5, 1):
        target = tmp_path / f"{detail}.%04d.png"
        render("--detail", detail, "--out", 0, "-o", target)
        difference = fine(pictures(target)) - fine(plate)
        off.append(np.abs(difference).mean())
    assert off[2] < 0.5 * off[0]
    assert off[2] < off[1] < off[0]


def fine(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Luminance without what is coarser than a few pixels, of the first frame."""
    luma = cv2.cvtColor(frames[0], cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(luma - cv2.GaussianBlur(luma, None, 2))


def test_the_size_of_the_style_picture_counts(render, tmp_path: Path) -> None:
    seen = []
    for scale in (0.5, 2):
        target = tmp_path / f"{scale}.%04d.png"
        render("--style-scale", scale, "--out", 0, "--model", "micro", "-o", target)
        seen.append(pictures(target).astype(int))
    assert np.abs(seen[1] - seen[0]).mean() > 1


@pytest.mark.weights
def test_vgg19_paints_inside_the_matte_alone(render, shot, reach, tmp_path: Path) -> None:
    if weights.find("vgg19") is None:
        pytest.skip("no vgg19 on this machine")
    target = tmp_path / "styled.mkv"
    matte = f"matte:{shot.mattes}"
    render("--object", matte, "--model", "vgg19", "--out", 2, "--codec", "ffv1", "-o", target)
    plates, results = pictures(shot.clip)[:3], pictures(target)
    assert len(results) == 3
    for index, (plate, result) in enumerate(zip(plates, results, strict=True)):
        assert np.array_equal(result[~reach(index)], plate[~reach(index)])
        inside = shot.matte(index) == 255
        assert np.abs(result[inside].astype(int) - plate[inside]).mean() > 10


def test_invert_keeps_the_object(render, shot, tmp_path: Path) -> None:
    target = tmp_path / "styled.%04d.png"
    render("--object", f"matte:{shot.mattes}", "--invert", "-o", target)
    core = np.ones((2 * FEATHER + 1, 2 * FEATHER + 1), np.uint8)
    plates, results = pictures(shot.clip), pictures(target)
    for index, (plate, result) in enumerate(zip(plates, results, strict=True)):
        object_ = cv2.erode(shot.matte(index), core) == 255
        assert object_.any()
        assert np.array_equal(result[object_], plate[object_])
        assert (result != plate).any(axis=2)[shot.matte(index) == 0].mean() > 0.8


def test_what_is_excluded_keeps_its_pixels(render, shot, tmp_path: Path) -> None:
    """Of the whole frame, and of an object; and the report says."""
    lower = np.zeros(shot.size, np.uint8)
    lower[shot.size[0] // 2 :] = 255
    (tmp_path / "lower").mkdir()
    for index in range(len(shot.pts)):
        cv2.imwrite(str(tmp_path / f"lower/{index:04}.png"), lower)
    hers = f"matte:{shot.mattes}"
    inverted, excluded, half = (tmp_path / f"{name}.%04d.png" for name in ("inv", "exc", "half"))
    render("--object", hers, "--invert", "-o", inverted)
    render("--exclude", hers, "-o", excluded)
    assert np.array_equal(pictures(excluded), pictures(inverted))
    half_options = ("--object", f"matte:{tmp_path / 'lower'}", "--exclude", hers)
    render(*half_options, "-o", half, "--report", tmp_path / "report.json")
    core = np.ones((2 * FEATHER + 1, 2 * FEATHER + 1), np.uint8)
    for index, (plate, result) in enumerate(zip(pictures(shot.clip), pictures(half), strict=True)):
        changed = (result != plate).any(axis=2)
        assert not changed[cv2.erode(shot.matte(index), core) == 255].any()
        assert not changed[: shot.size[0] // 2 - FEATHER].any()
        assert changed[(shot.matte(index) == 0) & (lower > 0)].mean() > 0.8
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["options"]["exclude"] == [hers]


def test_a_bad_exclusion_is_refused_by_its_name(vidstyle, shot, style_picture) -> None:
    command = ("render", shot.clip, "--style", style_picture, "--exclude")
    for spec in ("box:1,2", "box:0,0,9999,9"):
        outcome = vidstyle(*command, spec)
        assert outcome.code == 2
        assert f"--exclude {spec}" in outcome.err
        assert "--object" not in outcome.err


def test_two_objects_with_two_styles(
    render, shot, reach, other_style_picture, tmp_path: Path
) -> None:
    sky = np.zeros(shot.size, np.uint8)
    sky[:12, :40] = 255
    (tmp_path / "sky").mkdir()
    for index in range(len(shot.pts)):
        cv2.imwrite(str(tmp_path / f"sky/{index:04}.png"), sky)
    astronaut, corner = f"matte:{shot.mattes}", f"matte:{tmp_path / 'sky'}"
    both, first, second = (tmp_path / f"{name}.%04d.png" for name in ("both", "1st", "2nd"))
    render(
        "--object", astronaut, "--object", corner, "--style", other_style_picture, "-o", both
    )  # fmt: skip
    render("--object", astronaut, "-o", first)
    render("--object", corner, "-o", second, style=other_style_picture)
    layers = zip(pictures(both), pictures(first), pictures(second), strict=True)
    for index, (together, one, other) in enumerate(layers):
        hers = reach(index)
        assert not hers[:14, :42].any()
        assert np.array_equal(together[hers], one[hers])
        assert np.array_equal(together[:14, :42], other[:14, :42])
    assert (pictures(second)[:, :10, :36] != pictures(first)[:, :10, :36]).mean() > 0.5


def test_of_two_objects_the_later_lies_above(
    render, shot, other_style_picture, tmp_path: Path
) -> None:
    """Where they overlap, no pixel is styled twice."""
    (tmp_path / "below").mkdir()
    for index in range(len(shot.pts)):
        half = np.zeros(shot.size, np.uint8)
        half[shot.size[0] // 2 :] = 255
        cv2.imwrite(str(tmp_path / f"below/{index:04}.png"), half)
    below, above = f"matte:{tmp_path / 'below'}", f"matte:{shot.mattes}"
    both, lower, upper = (tmp_path / f"{name}.%04d.png" for name in ("both", "lower", "upper"))
    render("--object", below, "--object", above, "--style", other_style_picture, "-o", both)
    render("--object", below, "-o", lower)
    render("--object", above, "-o", upper, style=other_style_picture)
    kernel = np.ones((2 * FEATHER + 1, 2 * FEATHER + 1), np.uint8)
    layers = zip(pictures(both), pictures(lower), pictures(upper), strict=True)
    for index, (together, one, other) in enumerate(layers):
        hers = cv2.erode(shot.matte(index), kernel) == 255
        rest = cv2.dilate(shot.matte(index), kernel) == 0
        assert hers[shot.size[0] // 2 :].any()
        assert np.array_equal(together[hers], other[hers])
        assert np.array_equal(together[rest], one[rest])


def test_one_style_for_the_whole_frame_differs_from_another(
    render, style_picture, other_style_picture, tmp_path: Path
) -> None:
    means = []
    for style in (style_picture, other_style_picture):
        target = tmp_path / f"{style.stem}.%04d.png"
        render("--out", 1, "--model", "micro", "-o", target, style=style)
        wanted = cv2.cvtColor(cv2.imread(str(style)), cv2.COLOR_BGR2RGB).mean(axis=(0, 1))
        means.append((pictures(target).mean(axis=(0, 1, 2)), wanted))
    (coffee, coffee_wanted), (stars, stars_wanted) = means
    assert np.linalg.norm(coffee - coffee_wanted) < np.linalg.norm(coffee - stars_wanted)
    assert np.linalg.norm(stars - stars_wanted) < np.linalg.norm(stars - coffee_wanted)


def test_a_mask_is_tracked_and_its_mattes_are_written(render, shot, tmp_path: Path) -> None:
    mattes = tmp_path / "matte.%04d.png"
    render("--object", f"mask:{shot.mask}", "--matte-out", mattes, "-o", tmp_path / "s.mkv")
    written = pictures(mattes)[..., 0]
    assert np.array_equal(written[0] > 127, shot.matte(0) > 127)
    for index, matte in enumerate(written):
        truth = shot.matte(index) > 127
        overlap = (matte > 127) & truth
        assert overlap.sum() > 0.6 * ((matte > 127) | truth).sum()


def test_written_mattes_render_the_same_when_given_back(render, shot, tmp_path: Path) -> None:
    mattes, first, again = (tmp_path / f"{name}.%04d.png" for name in ("matte", "a", "b"))
    x0, y0, width, height = cv2.boundingRect(shot.matte(0))
    box = f"box:{x0},{y0},{x0 + width},{y0 + height}"
    render("--object", box, "--out", 7, "--matte-out", mattes, "-o", first)
    render("--object", f"matte:{mattes}", "--out", 7, "-o", again)
    assert np.array_equal(pictures(first), pictures(again))


@pytest.mark.parametrize("suffix", ["mkv", "mov", "mp4"])
def test_mattes_go_into_any_container(render, shot, suffix: str, tmp_path: Path) -> None:
    mattes = tmp_path / f"matte.{suffix}"
    render("--object", f"matte:{shot.mattes}", "--matte-out", mattes, "-o", tmp_path / "s.mp4")
    truth = np.stack([shot.matte(index) for index in range(len(shot.pts))])
    written = pictures(mattes)[..., 0]
    levels = written / (np.iinfo(written.dtype).max / 255)
    assert np.abs(levels - truth).mean() < 1


def test_a_dry_run_tells_the_plan_and_writes_nothing(render, shot, tmp_path: Path) -> None:
    before = {path.name for path in shot.clip.parent.iterdir()}
    wanted = ("--object", f"matte:{shot.mattes}", "--segmenter", "grabcut")
    said = render(*wanted, "--dry-run", "--report", tmp_path / "r.json")
    facts = "16 frames", "160x96", "shot.styled.mp4", "0-15", "matte:", "dis", "segmenter  grabcut"
    for fact in facts:
        assert fact in said
    assert {path.name for path in shot.clip.parent.iterdir()} == before
    assert not list(tmp_path.iterdir())


def test_the_report(render, style_picture, tiny_model, tmp_path: Path) -> None:
    target, report = tmp_path / "styled.mkv", tmp_path / "report.json"
    render("--codec", "ffv1", "--out", 7, "-o", target, "--report", report)
    content = json.loads(report.read_text())
    assert content["output"] == str(target)
    assert content["input"]["frames"] == 8
    assert content["input"]["shots"] == [[0, 8]]
    whole = {"object": None, "style": str(style_picture), "confidence": [1.0] * 8}
    assert content["objects"] == [{**whole, "lost": [], "doubtful": [], "supersample": [3]}]
    assert content["options"]["codec"] == "ffv1"
    assert content["parts"]["flow"] == "dis"
    assert content["hashes"]["styles"] == {str(style_picture): weights.sha256(style_picture)}
    assert content["hashes"]["model"] == weights.sha256(tiny_model / "weights.safetensors")
    assert {"analysis", "style", "flow", "temporal", "composite"} <= content["seconds"].keys()


def test_the_output_is_beside_the_input_when_none_is_named(render, shot, tmp_path: Path) -> None:
    clip = Path(shutil.copy(shot.clip, tmp_path / "take.1.mp4"))
    render("--out", 1, source=clip)
    assert len(pictures(tmp_path / "take.1.styled.mp4")) == 2
    sequence = tmp_path / "plate.%04d.png"
    for number in (7, 8):
        cv2.imwrite(str(sequence) % number, np.full((64, 64, 3), 90, np.uint8))
    render(source=sequence)
    assert sorted(path.name for path in tmp_path.glob("*plate*")) == [
        "plate.0007.png", "plate.0008.png", "styled.plate.0007.png", "styled.plate.0008.png",
    ]  # fmt: skip


def test_any_number_of_threads_gives_the_same_pixels(render, tmp_path: Path) -> None:
    made, before = [], torch.get_num_threads()
    try:
        for count in (1, 2, 4):
            torch.set_num_threads(count)
            target = tmp_path / f"of-{count}.%04d.png"
            render("--object", "box:30,20,71,91", "--out", 5, "-o", target)
            made.append(pictures(target))
    finally:
        torch.set_num_threads(before)
    assert all(np.array_equal(each, made[0]) for each in made[1:])


def test_resume_leaves_what_is_whole_and_completes_what_is_not(render, tmp_path: Path) -> None:
    target = tmp_path / "styled.%04d.png"
    files = [tmp_path / f"styled.{index:04}.png" for index in range(4)]
    render("--out", 3, "-o", target)
    whole = [file.read_bytes() for file in files]
    files[3].unlink()
    files[0].write_bytes(b"")
    assert "already there" not in render("--out", 3, "-o", target, "--resume")
    assert [file.read_bytes() for file in files] == whole
    files[0].write_bytes(b"retouched")
    assert "already there" in render("--out", 3, "-o", target, "--resume")
    assert files[0].read_bytes() == b"retouched"


def test_resume_takes_no_other_render_for_this_one(render, tmp_path: Path) -> None:
    """As many pictures as are wanted, of other frames or in another look, are not those."""
    target = tmp_path / "styled.%04d.png"
    part = ("--in", 4, "--out", 7)
    for options in (("--out", 3), part, (*part, "--strength", 0.5), (*part, "--batch", 2)):
        assert "already there" not in render(*options, "-o", target, "--resume")
        assert "already there" in render(*options, "-o", target, "--resume")
    assert (tmp_path / "styled.0007.png").is_file()


def test_resume_leaves_what_nobody_knows(vidstyle, shot, style_picture, tmp_path: Path) -> None:
    target = tmp_path / "styled.mp4"
    target.write_bytes(b"somebody's")
    call = ("render", shot.clip, "--style", style_picture, "-o", target, "--resume")
    done = vidstyle("-q", *call)
    assert (done.code, "exists; add --overwrite" in done.err) == (2, True)
    assert target.read_bytes() == b"somebody's"


def test_resume_leaves_mattes_of_somebody_else(vidstyle, shot, style_picture, tmp_path) -> None:
    foreign = tmp_path / "mattes.mkv"
    call = ("render", shot.clip, "--style", style_picture, "--object", f"matte:{shot.mattes}",
            "--out", 1, "-o", tmp_path / "styled.mp4")  # fmt: skip
    assert vidstyle("-q", *call).code == 0
    foreign.write_bytes(b"somebody's")
    done = vidstyle("-q", *call, "--matte-out", foreign, "--resume")
    assert done.code == 2
    assert f"{foreign}: exists; add --overwrite" in done.err
    assert foreign.read_bytes() == b"somebody's"


@pytest.mark.parametrize("file", ["styled.mkv", "report.json"])
def test_a_report_replaces_nothing_else(
    vidstyle, shot, style_picture, file: str, tmp_path: Path
) -> None:
    target, taken = tmp_path / "styled.mkv", tmp_path / file
    other = ("--qc-html", taken) if file == "report.json" else ()
    done = vidstyle("-q", "render", shot.clip, "--style", style_picture, "-o", target,
                    "--report", taken, *other)  # fmt: skip
    assert done.code == 2
    assert f"{taken}: is used for something else" in done.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("objects", [(), ("--object", "frame")])
def test_all_but_the_whole_frame_is_nothing(
    vidstyle, shot, style_picture, objects: tuple[str, ...], tmp_path: Path
) -> None:
    target = tmp_path / "styled.mkv"
    call = ("render", shot.clip, "--style", style_picture, *objects, "--invert", "-o", target)
    done = vidstyle("-q", *call)
    assert (done.code, "--invert: everything except the whole frame" in done.err) == (2, True)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mov"])
def test_the_same_render_is_the_same_file(render, suffix: str, tmp_path: Path) -> None:
    first, again = (tmp_path / f"{name}.{suffix}" for name in ("first", "again"))
    for target in (first, again):
        render("--strength", 0, "--out", 3, "-o", target)
    assert first.read_bytes() == again.read_bytes()


def test_an_end_beyond_the_clips_is_said(
    vidstyle, shot, style_picture, tiny_model, caplog, tmp_path: Path
) -> None:
    call = ("render", shot.clip, "--style", style_picture, "--model", tiny_model)
    assert not vidstyle(*call, "--in", 14, "--out", 100, "-o", tmp_path / "s.mkv").code
    assert "the clip ends at frame 15, before frame 100" in caplog.text


def test_resume_misses_mattes_that_are_wanted_as_well(render, shot, tmp_path: Path) -> None:
    call = ("--object", f"matte:{shot.mattes}", "--out", 1, "-o", tmp_path / "styled.mp4")
    render(*call, "--resume")
    call = (*call, "--matte-out", tmp_path / "m.%04d.png", "--resume")
    assert "already there" not in render(*call)
    assert "already there" in render(*call)


def test_what_comes_after_the_output_does_not_spoil_it(
    render, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library by another package's name, and a record that cannot be written."""

    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    def gone(_: str) -> list[object]:
        raise OSError(errno.EIO, "the disk is gone")

    monkeypatch.setattr(importlib.metadata, "version", missing)
    monkeypatch.setattr("vidstyle.pipeline.report.version", missing, raising=False)
    monkeypatch.setattr("vidstyle.pipeline.made.matching", gone)
    render("--out", 1, "-o", tmp_path / "styled.mp4", "--report", tmp_path / "report.json")
    libraries = json.loads((tmp_path / "report.json").read_text())["libraries"]
    assert libraries["opencv"] == cv2.__version__


def test_doubtful_frames_are_told_in_words(
    render, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("vidstyle.segment.mattes.lost.DOUBTFUL", 2.0)
    report = tmp_path / "report.json"
    call = ("--object", "box:45,20,75,80", "--segmenter", "grabcut", "--out", 3)
    render(*call, "-o", tmp_path / "styled.mp4", "--report", report)
    assert "box:45,20,75,80: doubtful in frames 0-3; look at them with" in caplog.text
    (found,) = json.loads(report.read_text())["objects"]
    assert found["doubtful"] == [[0, 3]]


def test_it_does_not_depend_on_who_reads_what_it_says(
    shot, style_picture, tiny_model, tmp_path: Path
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    call = ("render", shot.clip, "--style", style_picture, "--model", tiny_model, "--out", 0)
    done = subprocess.run(
        [sys.executable, "-m", "vidstyle", *map(str, call), "-o", str(tmp_path / "styled.png")],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "styled.png").is_file()


def test_overwrite_replaces(render, tmp_path: Path) -> None:
    target = tmp_path / "styled.mp4"
    target.write_bytes(b"an older render")
    render("--out", 1, "-o", target, "--overwrite")
    assert len(pictures(target)) == 2


def test_a_part_keeps_its_frames_and_its_sound(render, shot, tmp_path: Path) -> None:
    target = tmp_path / "part.mkv"
    render("--strength", 0, "--in", 4, "--out", 9, "--codec", "ffv1", "-o", target)
    assert np.array_equal(pictures(target), pictures(shot.clip)[4:10])
    times = [pts / 12800 for pts in shot.pts[4:10]]
    # Matroska counts milliseconds.
    assert np.diff(video_times(target)) == pytest.approx(np.diff(times), abs=2e-3)
    with av.open(str(target)) as container:
        sound = sum(f.samples for f in container.decode(audio=0)) / 48_000
    assert sound == pytest.approx(times[-1] - times[0] + 1 / 25, abs=0.06)


def test_a_part_by_timecode_with_handles_counts_on(render, tmp_path: Path) -> None:
    """Drop-frame at 29.97, over a minute: frames 8 and 9 are 00:00:59;28 and ;29."""
    source, target = tmp_path / "tape.mov", tmp_path / "part.mov"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(30000, 1001), width=64, height=64)
        stream.metadata["timecode"] = "00:00:59;20"
        for number in range(20):
            picture = np.full((64, 64, 3), 10 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode(None))
    cut = ("--strength", 0, "--in", "00:01:00;02", "--out", "00:01:00;04", "--handles", 2)
    render(*cut, "-o", target, source=source)
    assert open_clip(str(target)).info.timecode == "00:00:59;28"
    levels = pictures(target).mean(axis=(1, 2, 3))
    assert levels == pytest.approx([10.0 * n for n in range(8, 15)], abs=2)


def test_progress_as_json(render, shot, tmp_path: Path) -> None:
    said = render("--progress", "json", "-o", tmp_path / "styled.mp4").splitlines()
    steps = [json.loads(line) for line in said[:-1]]
    count = len(shot.pts)
    assert {"stage": "render", "done": count, "total": count} in steps
    for stage in ("cuts", "statistics", "render"):
        told = [step for step in steps if step["stage"] == stage]
        done = [step["done"] for step in told]
        assert done == sorted(done)
        assert done[-1] == told[-1]["total"] >= count


def test_the_same_settings_give_the_same_pixels(render, shot, tmp_path: Path) -> None:
    grid = ("--object", f"mask:{shot.mask}", "--segment", 8, "--preroll", 4)
    first, second = tmp_path / "a.%04d.png", tmp_path / "b.%04d.png"
    render(*grid, "-o", first)
    render(*grid, "-o", second)
    assert np.array_equal(pictures(first), pictures(second))


def test_segments_come_near_to_the_shot_in_one_go(render, shot, tmp_path: Path) -> None:
    one, grid = tmp_path / "one.%04d.png", tmp_path / "grid.%04d.png"
    render("--object", f"matte:{shot.mattes}", "-o", one)
    render("--object", f"matte:{shot.mattes}", "--segment", 8, "--preroll", 4, "-o", grid)
    whole, parts = pictures(one).astype(int), pictures(grid).astype(int)
    assert np.array_equal(whole[:8], parts[:8])
    seam = np.abs(whole[8:] - parts[8:])
    # What is left of the past after 5 frames is 0.6^5 = 8 % of at most its difference.
    assert seam.mean(axis=(1, 2, 3))[0] >= seam.mean(axis=(1, 2, 3))[-1]
    assert np.percentile(seam[0], 99) <= 8


@pytest.fixture
def long_render(shot, style_picture, tiny_model, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A render in its own process that takes long enough to be stopped; it has begun to write."""
    plates = tmp_path / "plates"
    plates.mkdir()
    first = pictures(shot.clip)[0]
    large = cv2.resize(first, (960, 576))[..., ::-1]
    cv2.imwrite(str(plates / "0000.png"), large)
    for number in range(1, 60):
        (plates / f"{number:04}.png").hardlink_to(plates / "0000.png")
    target = tmp_path / "out" / "styled.mp4"
    target.parent.mkdir()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "vidstyle", "-q", "render", str(plates)),
            *("--style", str(style_picture), "--model", str(tiny_model), "--device", "cpu"),
            *("--batch", "2", "--temporal", "off", "-o", str(target)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 120
        while not any(target.parent.iterdir()):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "it never began to write"
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stopped_in_the_middle_it_leaves_no_output(
    long_render: subprocess.Popen[str], number: signal.Signals, code: int, tmp_path: Path
) -> None:
    long_render.send_signal(number)
    _, said = long_render.communicate(timeout=60)
    assert long_render.returncode == code
    assert said in ("vidstyle: terminated\n", "vidstyle: cancelled\n")
    assert not list((tmp_path / "out").iterdir())


def test_lost_frames_are_reported_and_strict_refuses_them(
    vidstyle, shot, style_picture, tiny_model, tmp_path: Path
) -> None:
    folder = tmp_path / "mattes"
    folder.mkdir()
    for index in range(len(shot.pts)):
        matte = shot.matte(index) * (index not in (3, 4))
        cv2.imwrite(str(folder / f"{index:04d}.png"), matte)
    report, target = tmp_path / "report.json", tmp_path / "styled.mp4"
    arguments = (
        "render", shot.clip, "--style", style_picture, "--model", tiny_model, "--device", "cpu",
        "--object", f"matte:{folder}", "-o", target,
    )  # fmt: skip
    refused = vidstyle("-q", *arguments, "--strict")
    assert refused.code == 6
    assert "frames 3-4" in refused.err
    assert not target.exists()
    assert vidstyle("-q", *arguments, "--report", report).code == 0
    (told,) = json.loads(report.read_text())["objects"]
    assert told["lost"] == [[3, 4]]
    assert told["confidence"] == [float(i not in (3, 4)) for i in range(len(shot.pts))]
