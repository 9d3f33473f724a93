"""Live pictures of a clip and of a camera, without a page."""

from dataclasses import replace

import numpy as np
import pytest

from vidstyle.errors import UsageError
from vidstyle.live.run import FIRST, Shown
from vidstyle.options import RenderOptions
from vidstyle.ui.desk import Desk
from vidstyle.ui.live import Camera, Picture
from vidstyle.ui.selection import Selection, Wish


@pytest.fixture
def options(tiny_model) -> RenderOptions:
    return RenderOptions(model=str(tiny_model), device="cpu", flow="dis", segmenter="grabcut")


@pytest.fixture
def desk(shot):
    desk = Desk(shot.clip, most_frames=100, most_pixels=1 << 24)
    yield desk
    desk.clear()


def test_a_clip_plays_to_its_end(desk, options, style_picture) -> None:
    *pictures, shown = desk.play([Wish(Selection(), style_picture)], options)
    assert isinstance(shown, Shown)
    assert 0 < shown.frames <= 16 - FIRST
    assert all(picture.url.startswith("data:image/jpeg;base64,") for picture in pictures)


def test_stopping_ends_it(desk, options, style_picture) -> None:
    playing = desk.play([Wish(Selection(), style_picture)], options)
    assert isinstance(next(playing), Picture)
    desk.cancel()
    *_, shown = playing
    assert isinstance(shown, Shown)


def test_an_object_must_be_there_from_the_start(desk, options, style_picture) -> None:
    late = Wish(Selection("click").clicked(5, 5, FIRST), style_picture)
    with pytest.raises(UsageError, match="before frame 8"):
        list(desk.play([late], options))


def taken(camera, desk, numbers, wishes, options) -> list[Picture]:
    return [camera.step(desk.frame(n % 16), n, 0.1, wishes, options) for n in numbers]


def test_a_camera_begins_after_its_first_frames(desk, options, style_picture) -> None:
    camera, wishes = Camera(), [Wish(Selection(), style_picture)]
    *gathered, begun, first = taken(camera, desk, range(FIRST + 1), wishes, options)
    assert {picture.told for picture in gathered} == {"analysing the first frames"}
    assert begun.told == first.told == ""
    later = taken(camera, desk, (FIRST + 1, FIRST + 2, FIRST + 5), wishes, options)
    assert "latency 100 ms" in later[-1].told
    assert "2 dropped" in later[-1].told


def test_another_look_begins_at_once(desk, options, style_picture) -> None:
    camera, wishes = Camera(), [Wish(Selection(), style_picture)]
    *_, styled = taken(camera, desk, range(FIRST + 1), wishes, options)
    plain = camera.step(desk.frame(FIRST), FIRST + 1, 0.1, wishes, replace(options, strength=0.0))
    assert plain.told == ""
    assert plain.url != styled.url


def test_a_camera_takes_no_place_in_a_clip(options, style_picture) -> None:
    boxed = Wish(Selection("box").clicked(1, 1, 0).clicked(9, 9, 0), style_picture)
    with pytest.raises(ValueError, match="whole frame or name"):
        Camera().step(np.zeros((48, 64, 3), np.uint8), 0, 0.0, [boxed], options)
