"""``render --qc``: the output is scored, thresholds fail the run, and the output stays."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vidstyle.media.video.reader import open_clip
from vidstyle.models import weights


@pytest.fixture
def render(vidstyle, shot, style_picture, tiny_model, tmp_path: Path) -> Callable[..., object]:
    """Render the shot's astronaut, frame by frame: any flow may then judge."""

    def call(*options: object) -> object:
        return vidstyle(
            "-q", "render", shot.clip, "--style", style_picture, "--model", tiny_model,
            "--device", "cpu", "--temporal", "off", "--object", f"matte:{shot.mattes}",
            "-o", tmp_path / "styled.%04d.png", "--report", tmp_path / "report.json", *options,
        )  # fmt: skip

    return call


@pytest.fixture
def quality(tmp_path: Path) -> Callable[[], dict]:
    """What the report says."""
    return lambda: json.loads((tmp_path / "report.json").read_text())["quality"]


def test_scores_go_into_the_report_and_onto_the_page(
    render, quality, style_picture, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    scored = ("--qc", "--qc-step", 5, "--qc-html", page, "--fail-below", "ssim.outside=0.99")
    done = render(*scored, "--model", "micro")
    assert (done.code, done.err) == (0, "")
    found = quality()
    assert found["frames"] == [0, 5, 10, 15]
    assert (found["style"], found["cuts"], found["failures"]) == (str(style_picture), "none", [])
    means = found["means"]["styled.%04d.png"]
    # What lies outside is the plate; she is not, and flickers more than the plate does.
    assert means["ssim.outside"] > 0.99 > 0.9 > means["ssim.inside"]
    assert means["e_warp_ratio.gap1.inside"] > 1
    assert means["e_warp_ratio.gap1.outside"] == pytest.approx(1, abs=0.05)
    assert means["e_warp_ratio.gap1.inside"] == pytest.approx(
        means["e_warp.gap1.inside"] / found["means"]["plate"]["e_warp.gap1.inside"]
    )
    assert "gram.inside" in means
    assert "All 1 thresholds are kept" in page.read_text()


def test_a_threshold_fails_the_run_and_the_output_stays(render, quality, tmp_path: Path) -> None:
    limits = ("--qc-step", 8, "--out", 8)
    failed = render(*limits, "--fail-above", "e_warp_ratio.gap1.inside=0.01")
    assert failed.code == 7
    assert failed.err.count("\n") == 1
    assert "styled.%04d.png is written, but" in failed.err
    assert "e_warp_ratio.gap1.inside is" in failed.err
    assert len(list(tmp_path.glob("styled.*.png"))) == 9
    assert len(quality()["failures"]) == 1
    # It is not taken for done, until it passes.
    again = render(*limits, "--fail-above", "e_warp_ratio.gap1.inside=0.01", "--resume")
    assert again.code == 7
    passed = render(*limits, "--fail-above", "e_warp_ratio.gap1.inside=999", "--resume")
    assert passed.code == 0
    assert "already there" not in passed.out
    assert "already there" in render(*limits, "--qc", "--resume").out


def test_a_part_is_scored_against_its_frames(render, quality, shot, tmp_path: Path) -> None:
    done = render("--in", 4, "--out", 6, "--strength", 0, "--qc", "--qc-step", 1)
    assert done.code == 0, done.err
    found = quality()
    assert found["frames"] == [4, 5, 6]
    means = found["means"]["styled.%04d.png"]
    assert means["ssim.all"] == pytest.approx(1)
    assert means["e_warp_ratio.gap1.inside"] == pytest.approx(1)
    assert "gap10" in found["missing"]
    plates = [frame.image.numpy() for frame in open_clip(str(shot.clip)).frames(4, 7)]
    results = [
        frame.image.numpy() for frame in open_clip(str(tmp_path / "styled.%04d.png")).frames()
    ]
    assert np.array_equal(plates, results)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--fail-above", "flicker=1"], 2, "flicker is not measured here"),
        (["--qc", "--element", "--codec", "ffv1", "-o", "{}/e.mkv"], 2, "leave out --element"),
        (["--qc", "--colorspace", "sRGB - Texture:ACEScg"], 2, "leave out --qc"),
        (["--qc", "--temporal", "blend"], 4, "vidstyle models fetch raft-small"),
    ],
)
def test_what_cannot_be_is_told_before_the_work(
    render, options, code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "search_folders", lambda: [tmp_path])
    done = render(*(option.format(tmp_path) for option in options))
    assert done.code == code
    assert message in done.err
    assert done.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_named_with_its_extra(
    render, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("vidstyle.evaluate.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "vidstyle.pipeline.quality", raising=False)
    monkeypatch.setitem(sys.modules, "lpips", None)
    done = render("--qc")
    assert done.code == 2
    assert "--qc needs lpips, which is not installed: pip install 'vidstyle[evaluate]'" in done.err
    assert not list(tmp_path.iterdir())
