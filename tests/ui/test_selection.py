"""From what was pointed at to a SPEC that the command line takes."""

from pathlib import Path

import numpy as np
import pytest

from vidstyle.segment.prompts import parse_object
from vidstyle.ui.selection import Selection


def test_the_whole_frame_is_no_object() -> None:
    assert Selection().spec() is None


def test_a_name() -> None:
    assert Selection("name", " person#2 ").spec() == "person#2"


@pytest.mark.parametrize(
    "typed", ["mask:/etc/hostname", "matte:/home", "person+mask:/proc/self/fd/3", " -box:1,2,3,4 "]
)
def test_a_name_points_at_no_file(typed: str) -> None:
    with pytest.raises(ValueError, match=r"is no name; .* click or box"):
        Selection("name", typed).spec()


def test_clicks_add_up_and_belong_to_their_frame() -> None:
    chosen = Selection("click").clicked(10, 20, 3).clicked(12, 24, 3)
    assert chosen.spec() == "point:10,20@3+point:12,24@3"
    assert chosen.spec(0) == "point:10,20@0+point:12,24@0"
    assert chosen.clicked(5, 6, 4).spec() == "point:5,6@4"


def test_a_box_from_any_two_corners() -> None:
    chosen = Selection("box").clicked(40, 10, 0).clicked(5, 30, 0)
    assert chosen.spec() == "box:5,10,41,31@0"
    third = chosen.clicked(1, 1, 0)
    assert third.points == ((1, 1),)
    assert third.clicked(9, 9, 0).spec() == "box:1,1,10,10@0"


def test_a_painted_mask() -> None:
    assert Selection("brush", mask=Path("b.png"), frame=7).spec() == "mask:b.png@7"


@pytest.mark.parametrize("kind", ["name", "click", "box", "brush"])
def test_nothing_chosen_says_what_to_do(kind: str) -> None:
    with pytest.raises(ValueError, match=r"click|type|paint"):
        Selection(kind).spec()


def test_the_command_line_understands_them_all() -> None:
    for chosen in (
        Selection("name", "dog"),
        Selection("click").clicked(1, 2, 3),
        Selection("box").clicked(1, 2, 3).clicked(8, 9, 3),
        Selection("brush", mask=Path("b.png")),
    ):
        assert str(parse_object(chosen.spec())) == chosen.spec()


def test_what_was_pointed_at_is_marked() -> None:
    plate = np.zeros((60, 80, 3), np.uint8)
    boxed = Selection("box").clicked(10, 10, 0).clicked(70, 50, 0)
    marked = boxed.drawn(plate)
    assert not plate.any()
    assert marked[10, 40].any()
    assert not marked[30, 40].any()
