"""Means, tables and thresholds."""

import csv
import io
import math

import pytest

from vidstyle.errors import QualityError, UsageError
from vidstyle.evaluate.gate import Threshold, check
from vidstyle.evaluate.scores import PLATE, Scores, measure_names
from vidstyle.evaluate.tables import as_csv, as_text, best

NAMES = ("e_warp.gap1.all", "ssim.all", "lpips.all")


@pytest.fixture
def scores() -> Scores:
    found = Scores(["plate", "a", "b"], NAMES, missing={"lpips": "no weights"})
    for frame, warped in ((4, math.nan), (6, 0.2), (8, 0.4)):
        found.begin(frame)
        found.put("plate", {"e_warp.gap1.all": warped / 4})
        found.put("a", {"e_warp.gap1.all": warped})
        found.put("a", {"ssim.all": 0.5})
        found.put("b", {"e_warp.gap1.all": warped / 2, "ssim.all": 0.75})
    return found


def test_means_are_over_frames_that_have_a_value(scores: Scores) -> None:
    assert scores.mean("a", "e_warp.gap1.all") == pytest.approx(0.3)
    assert scores.series("b", "e_warp.gap1.all")[1:] == [0.1, 0.2]
    assert math.isnan(scores.mean("plate", "ssim.all"))
    assert scores.measured() == ["e_warp.gap1.all", "ssim.all"]


def test_names_say_measure_gap_and_region() -> None:
    names = measure_names([1, 10], ["all", "band"], style=True, detail=False)
    assert names[:2] == ["e_warp.gap1.all", "e_warp.gap1.band"]
    assert {"temporal.gap10.band", "gram.all", "ssim.band"} <= set(names)
    assert not any(name.startswith("detail") for name in names)
    assert len(set(names)) == len(names) == 2 * 4 * 2 + 4 * 2


def test_text_and_csv_tell_the_same(scores: Scores) -> None:
    lines = as_text(scores).splitlines()
    assert lines[1].split() == ["e_warp.gap1.all", "0.075", "0.3", "0.15"]
    assert lines[2].split() == ["ssim.all", "–", "0.5", "0.75"]
    assert lines[3] == "lpips: no weights"
    rows = list(csv.DictReader(io.StringIO(as_csv(scores))))
    assert [(row["frame"], row["clip"]) for row in rows[2:4]] == [("8", "plate"), ("4", "a")]
    assert (rows[3]["e_warp.gap1.all"], rows[3]["ssim.all"]) == ("", "0.5")
    assert float(rows[4]["e_warp.gap1.all"]) == 0.2


@pytest.mark.parametrize(
    ("distances", "better"),
    [
        ({"a": 0.2, "b": 0.2}, "b"),
        ({"a": 0.2, "b": 0.1}, "b"),
        # It flickers less because it is less styled.
        ({"a": 0.1, "b": 0.2}, None),
        # Nobody knows.
        ({}, None),
    ],
)
def test_the_best_is_the_steadiest_that_is_styled_no_less(
    distances: dict[str, float], better: str | None
) -> None:
    scores = Scores(["plate", "a", "b"], ["e_warp.gap1.all", "ssim.all", "lpips.all", "gram.all"])
    scores.begin(0)
    for clip, error, likeness in (("a", 0.3, 0.5), ("b", 0.1, 0.8)):
        styled = {"gram.all": distances[clip]} if clip in distances else {}
        scores.put(clip, {"e_warp.gap1.all": error, "ssim.all": likeness, **styled})
    assert best(scores, "e_warp.gap1.all") == best(scores, "ssim.all") == better
    assert best(scores, "lpips.all") is None
    closest = min(distances, key=lambda clip: distances[clip]) if distances else None
    if len(set(distances.values())) > 1:
        assert best(scores, "gram.all") == closest


def test_a_gate_fails_on_every_result_that_is_worse_and_not_on_the_plate(scores: Scores) -> None:
    check([Threshold.parse("e_warp.gap1.all=0.31", NAMES)], scores)
    check([Threshold.parse("ssim.all=0.5", NAMES, largest=False)], scores)
    with pytest.raises(QualityError) as failed:
        check([Threshold.parse("e_warp.gap1.all=0.2", NAMES)], scores)
    assert str(failed.value) == "a: e_warp.gap1.all is 0.3, wanted at most 0.2"
    with pytest.raises(QualityError, match=r"a: ssim.all is 0.5, wanted at least 0.6"):
        check([Threshold.parse("ssim.all=0.6", NAMES, largest=False)], scores)
    assert QualityError.exit_code == 7


def test_what_could_not_be_measured_does_not_pass(scores: Scores) -> None:
    with pytest.raises(QualityError, match=r"lpips.all could not be measured \(no weights\)"):
        check([Threshold.parse("lpips.all=1", NAMES)], scores)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ssim.all", "--fail-above ssim.all: give NAME=NUMBER"),
        ("ssim.all=much", "give NAME=NUMBER"),
        ("sim.all=1", "sim.all is not measured here; try ssim.all"),
    ],
)
def test_thresholds_that_cannot_be_meant(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Threshold.parse(text, NAMES)


def test_the_mean_of_ratios_is_the_ratio_of_means() -> None:
    """A frame in which the plate has no error at all must not decide."""
    scores = Scores([PLATE, "a"], measure_names([1], ["all"], style=False, detail=False))
    for frame, (plate, error) in enumerate([(0.0, 0.002), (0.001, 0.002), (0.003, 0.004)]):
        scores.begin(frame)
        scores.put(PLATE, {"e_warp.gap1.all": plate})
        ratio = error / plate if plate else float("inf")
        scores.put("a", {"e_warp.gap1.all": error, "e_warp_ratio.gap1.all": ratio})
    assert scores.mean("a", "e_warp_ratio.gap1.all") == pytest.approx(2)
    assert math.isnan(scores.mean(PLATE, "e_warp_ratio.gap1.all"))
