"""What a report says first."""

import pytest

from vidstyle.evaluate.scores import PLATE, Scores, measure_names
from vidstyle.evaluate.verdict import sentences


def scores(errors: list[float], **values: float) -> Scores:
    """Of one result, whose plate has an error of 2 in every pair."""
    names = measure_names((1,), ("all", "inside", "outside"), style=True, detail=True)
    found = Scores([PLATE, "styled"], names)
    for frame, error in enumerate(errors, 5):
        found.begin(frame)
        found.put(PLATE, {"e_warp.gap1.inside": 2.0, "gram.inside": 0.38})
        found.put("styled", {"e_warp.gap1.inside": error, "e_warp_ratio.gap1.inside": error / 2})
        found.put("styled", {name.replace("_in", ".in").replace("_out", ".out"): value
                             for name, value in values.items()})  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([4, 8, 3], "flickers 2.5 times as much as the plate from one frame to the next, most at"),
        ([2, 2.1, 1.95], "as steady as the plate from one frame to the next"),
        ([1, 1, 1], "flickers 0.5 times as much as the plate from one frame to the next, which"),
    ],
)
def test_flicker_is_told_beside_the_plates(errors: list[float], said: str) -> None:
    assert sentences(scores(errors))["styled"].lower().startswith(said)


def test_the_worst_frame_has_a_number() -> None:
    assert "most at frame 6" in sentences(scores([4, 8, 3]))["styled"]


def test_what_else_was_measured() -> None:
    said = sentences(scores([2], detail_inside=0.714, gram_inside=0.052, ssim_outside=0.9995))
    assert said == {
        "styled": "As steady as the plate from one frame to the next; 0.71 times the detail of the "
        "reference; style distance 0.052, where the plate has 0.38; outside the matte it is the "
        "plate."
    }
    assert "is 0.930 (SSIM)" in sentences(scores([2], ssim_outside=0.93))["styled"]


def test_nothing_measured_is_said() -> None:
    found = Scores([PLATE, "styled"], [])
    assert sentences(found) == {"styled": "Nothing could be measured."}
