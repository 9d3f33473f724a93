"""What is chosen on the page, without a page."""

import shutil

import gradio as gr

from vidstyle.ui.choosing import INSIDE, OUTSIDE, point_at, ready, show_frame, take_clip, undo
from vidstyle.ui.desk import Desk, Desks
from vidstyle.ui.history import History
from vidstyle.ui.selection import Point, Selection
from vidstyle.ui.table import Table


def table_of(style_picture, desk=None) -> Table:
    return Table(desk, [style_picture], History(1 << 30))


def click(x: int, y: int) -> gr.SelectData:
    return gr.SelectData(None, {"index": [x, y], "value": None})


def test_what_is_missing_comes_in_the_order_of_the_page(shot, style_picture) -> None:
    table = table_of(style_picture)
    hints = [ready(table, 0)[0]]
    table.desk = Desk(shot.clip, most_frames=100, most_pixels=1 << 24)
    hints.append(ready(table, 0)[0])
    table.style = style_picture
    hints.append(ready(table, 0)[0])
    table.object = Selection("box")
    hints.append(ready(table, 0)[0])
    table.object = Selection("brush")
    hints.append(ready(table, 0)[0])
    table.clear()
    assert hints == [
        "Next: upload a clip.",
        "Next: choose a style picture.",
        "Ready.",
        "Next: click on two opposite corners of a box around the object.",
        "Ready.",
    ]


def test_nothing_is_played_before_there_is_something_to_play(desk, style_picture) -> None:
    table = table_of(style_picture)
    *_, play = ready(table, 0)
    assert play["interactive"] is False
    table.desk, table.style = desk, style_picture
    *_, play = ready(table, 0)
    assert play["interactive"] is True


def test_two_styles_can_be_compared(desk, style_picture, other_style_picture) -> None:
    table = table_of(style_picture, desk)
    table.style = table.rival = style_picture
    _, preview, compare, *_ = ready(table, 0)
    assert (preview["interactive"], compare["interactive"]) == (True, False)
    table.style = other_style_picture
    _, _, compare, *_ = ready(table, 0)
    assert compare["interactive"] is True


def test_clicks_stay_when_another_frame_is_shown(desk, style_picture) -> None:
    table = table_of(style_picture, desk)
    table.style, table.object = style_picture, Selection("click")
    point_at(table, 0, INSIDE, click(40, 50))
    picture, _ = show_frame(table, 5)
    assert (picture == desk.frame(5)).all()
    hint, preview, _, part, *_ = ready(table, 5)
    assert (
        hint
        == "Ready. To preview, go to frame 0, where you marked the object, or mark it here too."
    )
    assert (preview["interactive"], part["interactive"]) == (False, True)
    _, picture, _ = point_at(table, 5, OUTSIDE, click(90, 20))
    assert (picture[20, 90] != desk.frame(5)[20, 90]).any()
    assert table.object.points == (Point(40, 50, 0), Point(90, 20, 5, outside=True))
    _, picture = undo(table, 5)
    assert (picture == desk.frame(5)).all()
    assert table.object.points == (Point(40, 50, 0),)


def test_another_clip_leaves_what_was_rendered_of_the_last(
    desk, results, shot, style_picture, tmp_path
) -> None:
    desks, table = Desks(100, 1 << 24, tmp_path), table_of(style_picture, desk)

    def take_another() -> Desk:
        upload = shutil.copy(shot.clip, tmp_path / "again.mp4")
        before = table.clip
        take_clip(table, upload, desks, "session")
        return before

    table.history.add(desk, results)
    assert take_another().clip.exists()
    assert not take_another().clip.exists()
    table.history.remove(table.desk)
    assert not desk.clip.exists()
    table.clear()
    assert not list(tmp_path.glob("vidstyle-desk-*"))
