"""Objects with numbers, to click on."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from vidstyle.errors import Cancelled, ObjectNotFoundError, WeightsError
from vidstyle.inspect.survey import SurveyedObject
from vidstyle.media.frame import Box
from vidstyle.media.video.shots import Shot
from vidstyle.segment.detectors.detector import Detection
from vidstyle.ui import candidates
from vidstyle.ui.candidates import Candidates
from vidstyle.ui.selection import Selection, Wish

SHOT = Shot(0, 16)


def surveyed(name: str, shot: Shot = SHOT, **boxes: Box) -> SurveyedObject:
    """``surveyed("dog#1", at2=Box(…))``."""
    there = {int(frame[2:]): box for frame, box in boxes.items()}
    return SurveyedObject(name, shot, there, dict.fromkeys(there, 0.9))


LARGE = surveyed("person#1", at2=Box(0, 0, 60, 90), at10=Box(40, 0, 100, 90))
SMALL = surveyed("person#2", at2=Box(10, 10, 20, 20))


def test_a_box_moves_on_from_where_it_was_seen_to_where_it_is_seen() -> None:
    found = Candidates([LARGE])
    assert found.boxes(2)["person#1"] == Box(0, 0, 60, 90)
    assert found.boxes(6)["person#1"] == Box(20, 0, 80, 90)
    assert found.boxes(0)["person#1"] == Box(0, 0, 60, 90)


def test_what_is_seen_at_the_start_alone_is_not_there_at_the_end() -> None:
    found = Candidates([LARGE, SMALL])
    assert found.boxes(2).keys() == {"person#1", "person#2"}
    assert found.boxes(9).keys() == {"person#1"}


def test_every_shot_has_numbers_of_its_own() -> None:
    later = surveyed("person#1", Shot(16, 32), at18=Box(100, 0, 120, 90))
    found = Candidates([LARGE, later])
    assert found.names == ["person#1"]
    assert found.boxes(13)["person#1"] == Box(40, 0, 100, 90)
    assert found.boxes(16)["person#1"] == Box(100, 0, 120, 90)


def test_a_click_is_on_the_smallest_that_is_there() -> None:
    found = Candidates([LARGE, SMALL])
    assert found.at(15, 15, 2) == "person#2"
    assert found.at(50, 50, 2) == "person#1"
    assert found.at(150, 50, 2) is None


def test_one_is_seen_best_where_the_detector_is_surest() -> None:
    there = {4: Box(0, 0, 20, 20), 8: Box(8, 0, 28, 20)}
    found = Candidates([SurveyedObject("dog#1", SHOT, there, {4: 0.5, 8: 0.9})])
    assert found.seen_best("dog#1", 0, 15) == {8: Box(8, 0, 28, 20)}
    assert found.seen_best("dog#1", 2, 7) == {4: Box(0, 0, 20, 20)}
    assert found.seen_best("dog#1", 5, 6) == {5: Box(2, 0, 22, 20)}
    assert found.seen_best("dog#1", 14, 15) == {}


def test_of_several_the_chosen_one_is_rendered_in_a_range(desk) -> None:
    """There, the second of the shot might be the first."""
    desk.candidates = Candidates([LARGE, SMALL])
    chosen = Selection("name", "person#2")
    assert desk.within(chosen, 0, 4).spec() == "box:10,10,20,20@2"
    assert desk.within(chosen, 0, 15) == chosen
    with pytest.raises(ValueError, match="person#2 is not seen in frames 12-15; choose another"):
        desk.within(chosen, 12, 15)
    desk.candidates = Candidates([LARGE])
    assert desk.within(Selection("name", "person"), 0, 4).spec() == "person"


def test_the_chosen_one_stays_in_colour() -> None:
    plate = np.full((96, 160, 3), 20, np.uint8)
    found = Candidates([LARGE, surveyed("person#2", at2=Box(80, 30, 120, 90))])

    def colours(chosen: str) -> list[bool]:
        """Whether the left sides of the boxes have a colour."""
        marked = found.drawn(plate, 2, chosen)
        return [bool(np.ptp(marked[60, x]) > 30) for x in (0, 80)]

    assert (plate == 20).all()
    assert colours("dog") == [True, True]
    assert colours("person") == colours("person#1") == [True, False]
    assert colours("person#2") == [False, True]


PEOPLE = (
    Detection("person", 0.9, Box(20, 10, 60, 90)),
    Detection("person", 0.8, Box(100, 30, 120, 80)),
)


class Eyes:
    """A detector that sees the same wherever it looks."""

    name = "eyes"

    def __init__(self, *detections: Detection, on_look: Callable[[], None] = lambda: None) -> None:
        self._detections, self._on_look = detections, on_look

    def detect(self, *_: object) -> list[Detection]:
        self._on_look()
        return list(self._detections)


@pytest.fixture
def seen_by(monkeypatch) -> Callable[[Eyes | None], None]:
    """Has clips looked through with a detector."""

    def replaced(detector: Eyes | None) -> None:
        monkeypatch.setattr(candidates, "kept_parts", lambda _: SimpleNamespace(detector=detector))

    return replaced


def test_they_are_found_in_a_clip(desk, options, seen_by) -> None:
    seen_by(Eyes(*PEOPLE))
    *steps, found = desk.find_candidates(options)
    assert found.names == ["person#1", "person#2"]
    assert steps[-1].fraction > 0
    assert desk.candidates is found


def test_looking_can_be_cancelled_between_frames(desk, options, seen_by) -> None:
    looked = list[str]()

    def look() -> None:
        looked.append("once")
        desk.cancel()

    seen_by(Eyes(*PEOPLE, on_look=look))
    with pytest.raises(Cancelled):
        list(desk.find_candidates(options))
    assert looked == ["once"]


def test_no_detector_and_nothing_found_say_what_to_do(desk, options, seen_by) -> None:
    seen_by(None)
    with pytest.raises(WeightsError, match="vidstyle models fetch"):
        list(desk.find_candidates(options))
    seen_by(Eyes())
    with pytest.raises(
        ObjectNotFoundError, match=r"^eyes recognises nothing .* choose click or box"
    ):
        list(desk.find_candidates(options))


def test_a_preview_shows_the_one_that_was_chosen(desk, options, style_picture) -> None:
    """Counted in one frame alone, it might be another."""
    desk.candidates = Candidates([surveyed("person#2", at0=Box(30, 20, 71, 91))])
    chosen = desk.preview(0, [Wish(Selection("name", "person#2"), style_picture)], options)
    boxed = Selection("box").clicked(30, 20, 0).clicked(70, 90, 0)
    assert (chosen.matte == desk.preview(0, [Wish(boxed, style_picture)], options).matte).all()
