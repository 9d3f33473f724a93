"""``vidstyle evaluate``: results of known flicker in, numbers, reports and an exit code out."""

import base64
import csv
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from vidstyle.media.video.reader import open_clip

COUNT = 16


@pytest.fixture(scope="module")
def results(shot, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Two results of the shot: brighter by turns, and blurred. Lossless pictures."""
    root = tmp_path_factory.mktemp("results")
    for name in ("flicker", "blur"):
        (root / name).mkdir()
    for frame in open_clip(str(shot.clip)).frames():
        image = frame.image.numpy()[..., ::-1]
        light = image * 0.8 + (0.1 * 255 if frame.index % 2 else 0)
        cv2.imwrite(str(root / f"flicker/{frame.index:02}.png"), light.round().astype(np.uint8))
        cv2.imwrite(str(root / f"blur/{frame.index:02}.png"), cv2.GaussianBlur(image, (0, 0), 1.5))
    return str(root / "flicker"), str(root / "blur")


@pytest.fixture
def arguments(shot, results: tuple[str, str]) -> list[object]:
    # By DIS, so that it runs the same with and without RAFT's weights.
    return ["evaluate", shot.clip, *results, "--flow", "dis", "--gaps", "1,4"]


def test_numbers_say_what_was_done_to_the_results(
    vidstyle, arguments, shot, style_picture, tmp_path: Path
) -> None:
    named = ["--matte", shot.mattes, "--style", style_picture, "--teacher", "micro"]
    files = [
        "--json",
        tmp_path / "a.json",
        "--csv",
        tmp_path / "a.csv",
        "--html",
        tmp_path / "a.html",
    ]
    done = vidstyle(*arguments, *named, "--reference", shot.clip, *files)
    assert done.code == 0, done.err
    assert re.search(r"^mean of frames +plate +flicker +blur$", done.out, re.MULTILINE)

    content = json.loads((tmp_path / "a.json").read_text())
    assert (content["flow"], content["network of style"]) == ("dis", "micro")
    assert content["frames"] == list(range(COUNT))
    plate, flicker, blur = (content["means"][clip] for clip in ("plate", "flicker", "blur"))
    for region in ("all", "inside", "band", "outside"):
        # Every second frame is lighter by a tenth, and no flow can explain it: at gap 1 that is
        # its square and more, at gap 4 nothing but four fifths of the plate's own contrast.
        error = flicker[f"e_warp.gap1.{region}"]
        assert error == pytest.approx(0.01 + 0.64 * plate[f"e_warp.gap1.{region}"], rel=0.1)
        assert flicker[f"e_warp.gap4.{region}"] < plate[f"e_warp.gap4.{region}"]
        assert blur[f"e_warp.gap1.{region}"] < plate[f"e_warp.gap1.{region}"]
        assert blur[f"detail.{region}"] < 0.3 < 0.6 < flicker[f"detail.{region}"] < 0.7
        excess = flicker[f"e_warp_excess.gap1.{region}"]
        assert excess == pytest.approx(error - plate[f"e_warp.gap1.{region}"], rel=1e-4)
        assert 0 < flicker[f"gram.{region}"] < 50
        assert 0.2 < blur[f"ssim.{region}"] < 0.999
    assert content["per_frame"]["flicker"]["e_warp.gap4.all"][:5].count(None) == 4
    assert set(content["missing"]) <= {"lpips"}

    with (tmp_path / "a.csv").open() as opened:
        rows = list(csv.DictReader(opened))
    assert len(rows) == 3 * COUNT
    mine = [float(row["ssim.band"]) for row in rows if row["clip"] == "blur"]
    assert np.mean(mine) == pytest.approx(blur["ssim.band"])


def test_the_page_stands_alone(vidstyle, arguments, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = vidstyle(*arguments, "--html", page, "--fail-above", "e_warp.gap1.all=0.001")
    assert done.code == 7
    html = page.read_text()
    assert not re.search(r"(src|href)=\"(?!data:)|https?://|@import|url\(", html)
    assert "<strong>Failed</strong><br>flicker: e_warp.gap1.all is" in html
    pictures = [
        cv2.imdecode(np.frombuffer(base64.b64decode(each), np.uint8), 1)
        for each in re.findall(r'src="data:image/\w+;base64,([^"]+)"', html)
    ]
    # The worst pair and its difference, flicker over the clip, slices, the first frame.
    assert len(pictures) == 3 * (1 + 1 + 4)
    still, steady, flickering = (pictures[number].mean() for number in (9, 11, 10))
    assert flickering > 2 * max(still, steady)
    assert html.count("<svg") == 4  # e_warp at two gaps, ssim, detail


def test_a_sample_of_a_range(vidstyle, arguments, tmp_path: Path) -> None:
    file, flows = tmp_path / "a.json", tmp_path / "flows"
    sample = (*arguments, "--in", 4, "--out", 12, "--step", 4)
    done = vidstyle(*sample, "--json", file, "--flow-cache", flows)
    assert done.code == 0, done.err
    # Frames 8 and 12 against 7, 4 and 11, 8, both ways.
    kept = {path: path.stat().st_ino for path in flows.iterdir()}
    assert len(kept) == 8
    again = vidstyle(*sample, "--flow-cache", flows)
    assert again.out == done.out
    assert {path: path.stat().st_ino for path in flows.iterdir()} == kept
    content = json.loads(file.read_text())
    assert content["frames"] == [4, 8, 12]
    errors = content["per_frame"]["flicker"]["e_warp.gap1.all"]
    assert errors[0] is None
    assert min(errors[1:]) > 0.009


def test_no_pair_reaches_over_a_cut(vidstyle, shot, tmp_path: Path) -> None:
    """Five frames of the shot, then five of it upside down and in negative."""
    for name in ("plate", "result"):
        (tmp_path / name).mkdir()
    for frame in open_clip(str(shot.clip)).frames(0, 10):
        image = frame.image.numpy()[..., ::-1]
        image = image if frame.index < 5 else 255 - image[::-1]
        for name in ("plate", "result"):
            cv2.imwrite(str(tmp_path / f"{name}/{frame.index}.png"), image)
    clips = (tmp_path / "plate", tmp_path / "result")
    done = vidstyle("-q", "evaluate", *clips, "--flow", "dis", "--gaps", "1,3",
                    "--json", tmp_path / "a.json")  # fmt: skip
    assert done.code == 0, done.err
    content = json.loads((tmp_path / "a.json").read_text())
    assert content["cuts"] == "5"
    for gap in (1, 3):
        errors = content["per_frame"]["result"][f"e_warp.gap{gap}.all"]
        scored = [index for index, error in enumerate(errors) if error is not None]
        assert scored == [*range(gap, 5), *range(5 + gap, 10)]


def test_a_gate_is_told_in_one_line(vidstyle, arguments) -> None:
    done = vidstyle("-q", *arguments, "--fail-above", "e_warp.gap1.all=0.005",
                    "--fail-below", "detail.all=0.001")  # fmt: skip
    assert done.code == 7
    message = done.err.splitlines()[-1]
    assert message.startswith("vidstyle: flicker: e_warp.gap1.all is 0.01")
    assert message.endswith("wanted at most 0.005")
    assert "blur:" not in message
    assert vidstyle(*arguments, "--fail-above", "e_warp.gap1.all=0.02").code == 0


def test_a_render_is_not_judged_by_its_own_flow(vidstyle, arguments, tmp_path: Path) -> None:
    report = tmp_path / "render.json"
    report.write_text(json.dumps({"parts": {"flow": "dis"}}))
    done = vidstyle(*arguments, "--report", report)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "--flow dis: the render used it" in done.err


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (["--gaps", "1,0"], 2, "--gaps 1,0: give numbers of frames"),
        (["--flow", "nowhere"], 2, "--flow nowhere: neither a folder"),
        (["--fail-above", "e_warp=1"], 2, "--fail-above e_warp=1: e_warp is not measured here"),
        (["--json", "nowhere/a.json"], 2, "there is no folder nowhere"),
        (["--row", "96"], 2, "--row 96: the clips have 96 rows"),
        (["--in", "99"], 2, "has no such frame"),
        (["--in", "5", "--out", "3"], 2, "--out 3: before --in 5"),
        (["--style", "nowhere.png", "--teacher", "micro"], 3, "nowhere.png: no such file"),
        (["--matte", "nowhere.%04d.png"], 3, "nowhere.%04d.png: matches no file"),
        (["--reference", "nowhere.mp4"], 3, "nowhere.mp4"),
        (["--report", "nowhere.json"], 2, "--report nowhere.json: cannot be read"),
    ],
)
def test_what_cannot_be_meant(vidstyle, arguments, more, code, message) -> None:
    done = vidstyle("-q", *arguments, *more)
    assert (done.code, done.err.count("vidstyle:")) == (code, 1), done.err
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_part_is_told_how_to_be_compared(vidstyle, shot, results, tmp_path: Path) -> None:
    for number in range(4):
        name = f"{number:02}.png"
        (tmp_path / name).symlink_to(Path(results[0], name))
    done = vidstyle("evaluate", shot.clip, tmp_path, "--flow", "dis")
    assert done.code == 3
    assert "say which frames it holds: --part --in FIRST --out LAST" in done.err


def test_a_report_never_replaces_what_is_compared(vidstyle, shot, results) -> None:
    done = vidstyle("evaluate", shot.clip, *results, "--html", shot.clip)
    assert done.code == 2
    assert "the output is the input itself" in done.err
    twice = vidstyle("evaluate", shot.clip, results[0], results[0])
    assert (twice.code, "given twice" in twice.err) == (2, True)


def test_sintel_by_its_true_flow(vidstyle, data, tmp_path: Path) -> None:
    """The final pass adds haze and motion blur to the clean one: another plate, equal motion."""
    plate, result = data("sintel/alley_1_clean"), data("sintel/alley_1_final")
    named = ["--flow", data("sintel/alley_1_flow"), "--gaps", "1,3", "--json", tmp_path / "a.json"]
    done = vidstyle("evaluate", plate, result, *named)
    assert done.code == 0, done.err
    means = json.loads((tmp_path / "a.json").read_text())["means"]
    floor = means["alley_1_final"]["e_warp_excess.gap1.all"] + means["plate"]["e_warp.gap1.all"]
    assert floor == pytest.approx(means["alley_1_final"]["e_warp.gap1.all"])
    for clip in ("plate", "alley_1_final"):
        assert 0 < means[clip]["e_warp.gap1.all"] < means[clip]["e_warp.gap3.all"] < 0.002
