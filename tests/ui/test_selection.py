"""From what was pointed at to a SPEC that the command line takes."""

from pathlib import Path

import numpy as np
import pytest

from vidstyle.segment.prompts import parse_object
from vidstyle.ui.selection import Point, Selection


def test_the_whole_frame_is_no_object() -> None:
    assert Selection().spec() is None


def test_a_name() -> None:
    assert Selection("name", " person#2 ").spec() == "person#2"


@pytest.mark.parametrize(
    "typed", ["mask:/etc/hostname", "matte:/home", "person+mask:/proc/self/fd/3", " -box:1,2,3,4 "]
)
def test_a_name_points_at_no_file(typed: str) -> None:
    with pytest.raises(ValueError, match=r"is not a name; .* click or box"):
        Selection("name", typed).spec()


def test_clicks_add_up_over_frames_and_say_what_is_not_the_object() -> None:
    chosen = Selection("click").clicked(10, 20, 3).clicked(12, 24, 5, outside=True)
    assert chosen.spec() == "point:10,20@3+-point:12,24@5"
    assert chosen.frames == [3, 5]
    assert chosen.undone().spec() == "point:10,20@3"
    with pytest.raises(ValueError, match="click on the object"):
        Selection("click").clicked(12, 24, 5, outside=True).spec()


def test_a_frame_alone_has_its_own_clicks() -> None:
    chosen = Selection("click").clicked(10, 20, 3).clicked(12, 24, 5)
    assert chosen.alone(5).spec() == "point:12,24@0"
    assert Selection("brush", mask=Path("b.png"), frame=7).alone(7).spec() == "mask:b.png@0"
    assert Selection("name", "dog").alone(4).spec() == "dog"
    with pytest.raises(ValueError, match=r"marked in frame 3, 5, .* go there"):
        chosen.alone(4)


def test_a_part_of_the_clip_takes_the_clicks_in_it() -> None:
    chosen = Selection("click").clicked(1, 2, 3).clicked(3, 4, 9).clicked(5, 6, 20, outside=True)
    assert chosen.within(8, 12).spec() == "point:3,4@9"
    for pointed in (
        chosen,
        Selection("box").clicked(1, 2, 9).clicked(8, 9, 9),
        Selection("brush", mask=Path("b.png"), frame=9),
    ):
        assert pointed.within(8, 9).spec()
        with pytest.raises(ValueError, match=r"in frame .*9.*, which is outside frames 15-30"):
            pointed.within(15, 30)
    assert Selection("name", "dog").within(15, 30).spec() == "dog"


def test_a_box_from_any_two_corners() -> None:
    chosen = Selection("box").clicked(40, 10, 0).clicked(5, 30, 0)
    assert chosen.spec() == "box:5,10,41,31@0"
    third = chosen.clicked(1, 1, 0)
    assert third.points == (Point(1, 1, 0),)
    assert third.clicked(9, 9, 0).spec() == "box:1,1,10,10@0"
    assert third.clicked(9, 9, 1).points == (Point(9, 9, 1),)
    assert chosen.undone().points == (Point(40, 10, 0),)


def test_a_painted_mask() -> None:
    assert Selection("brush", mask=Path("b.png"), frame=7).spec() == "mask:b.png@7"


@pytest.mark.parametrize("kind", ["name", "click", "box", "brush"])
def test_nothing_chosen_says_what_to_do(kind: str) -> None:
    with pytest.raises(ValueError, match=r"click|type|paint"):
        Selection(kind).spec()


def test_the_command_line_understands_them_all() -> None:
    for chosen in (
        Selection("name", "dog"),
        Selection("click").clicked(1, 2, 3).clicked(4, 5, 6, outside=True),
        Selection("box").clicked(1, 2, 3).clicked(8, 9, 3),
        Selection("brush", mask=Path("b.png")),
    ):
        assert str(parse_object(chosen.spec())) == chosen.spec()


def test_what_was_pointed_at_is_marked() -> None:
    plate = np.zeros((60, 80, 3), np.uint8)
    boxed = Selection("box").clicked(10, 10, 0).clicked(70, 50, 0)
    marked = boxed.drawn(plate, 0)
    assert not boxed.drawn(plate, 1).any()
    assert not plate.any()
    assert marked[10, 40].any()
    assert not marked[30, 40].any()
