"""A clip on a user's desk, without a page."""

import shlex
import shutil
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch

from vidstyle.errors import Cancelled, MediaError, ObjectNotFoundError, UsageError
from vidstyle.media.frame import Frame
from vidstyle.options import RenderOptions
from vidstyle.ui.desk import Desk, Desks
from vidstyle.ui.results import Results
from vidstyle.ui.running import Watched
from vidstyle.ui.selection import Selection, Wish


def test_it_knows_its_clip(desk: Desk, shot) -> None:
    assert (desk.count, desk.size, desk.clip.name) == (16, shot.size, "shot.mp4")
    assert desk.frame(3).shape == (*shot.size, 3)


def test_clearing_leaves_nothing(desk: Desk) -> None:
    folder = desk.clip.parent
    desk.clear()
    assert not folder.exists()


def test_what_is_no_clip_or_too_long_is_refused_and_leaves_nothing(shot, tmp_path) -> None:
    text = tmp_path / "clip.mp4"
    text.write_text("not a clip")
    with pytest.raises(MediaError, match=r"^clip\.mp4: text, not a video"):
        Desk(text, most_frames=100, most_pixels=1 << 24)
    with pytest.raises(MediaError, match=r"shot\.mp4: longer than 10 frames"):
        Desk(shot.clip, most_frames=10, most_pixels=1 << 24)
    with pytest.raises(MediaError, match=r"shot\.mp4: 160x96 pixels are more than the 15359 that"):
        Desk(shot.clip, most_frames=100, most_pixels=160 * 96 - 1)


def test_a_preview_changes_the_painted_object_alone(desk, shot, options, style_picture) -> None:
    mask = cv2.resize(shot.matte(5), (80, 48))  # as painted on a smaller canvas
    wish = Wish(Selection("brush", mask=desk.paint(mask), frame=5), style_picture)
    seen = desk.preview(5, [wish], options)
    assert seen.before.shape == seen.after.shape == (*shot.size, 3)
    assert seen.matte.shape == shot.size
    truth = shot.matte(5) > 127
    assert (seen.matte > 127)[truth].mean() > 0.8
    changed = np.abs(seen.after.astype(int) - seen.before).max(-1)
    assert changed[cv2.dilate(seen.matte, np.ones((9, 9))) == 0].max() == 0
    assert changed[seen.matte > 200].mean() > 8


def test_a_small_preview_shows_what_a_large_one_does(desk, shot, options, style_picture) -> None:
    wish = Wish(Selection("box").clicked(30, 20, 0).clicked(70, 90, 0), style_picture)
    large = desk.preview(0, [wish], options, rows=None)
    small = desk.preview(0, [wish], options, rows=48)
    assert (large.size, small.size) == (shot.size, (48, 80))
    assert small.before.shape == small.after.shape == (48, 80, 3)
    halved = cv2.resize(large.matte, (80, 48), interpolation=cv2.INTER_AREA)
    assert np.array_equal(small.matte, halved)
    assert np.abs(small.after.astype(int) - small.before)[small.matte > 200].mean() > 8


def test_another_look_reads_and_finds_nothing_anew(desk, options, style_picture, tmp_path) -> None:
    style = tmp_path / "style.png"
    shutil.copy(style_picture, style)
    wish = Wish(Selection("box").clicked(30, 20, 0).clicked(70, 90, 0), style)
    full = desk.preview(0, [wish], options)
    desk.clip.unlink()
    style.unlink()
    half = desk.preview(0, [wish], RenderOptions(**{**vars(options), "strength": 0.5}))
    between = (full.before.astype(float) + full.after) / 2
    assert np.abs(half.after - between).max() <= 2


def test_a_render_is_told_and_gives_all_files(desk, options, style_picture) -> None:
    wish = Wish(Selection("box").clicked(30, 20, 0).clicked(70, 90, 0), style_picture)
    *steps, results = desk.render([wish], RenderOptions(**{**vars(options), "last": 3}))
    assert isinstance(results, Results)
    assert len(steps) > 0
    assert all(0 <= step.fraction <= 1 for step in steps)
    with av.open(str(results.clip)) as clip:
        assert sum(1 for _ in clip.decode(video=0)) == 4
    assert {path.split("/")[-1] for path in results.all} == {
        "shot.styled.mp4",
        "shot.mattes.mkv",
        "report.json",
    }
    report = results.report.read_text()
    assert '"path": "shot.mp4"' in report
    assert '"style": "coffee.png"' in report
    assert str(desk.clip.parent) not in report


def test_a_clip_may_have_any_name(shot, options, style_picture, tmp_path) -> None:
    clip = shutil.copy(shot.clip, tmp_path / "mattes.mkv")
    desk = Desk(Path(clip), most_frames=100, most_pixels=1 << 24)
    wish = Wish(Selection("box").clicked(30, 20, 0).clicked(70, 90, 0), style_picture)
    *_, results = desk.render([wish], RenderOptions(**{**vars(options), "last": 1}))
    assert desk.clip.read_bytes() == shot.clip.read_bytes()
    assert len(set(results.all)) == 3
    desk.clear()


def test_doubtful_frames_are_told(desk, options, style_picture, monkeypatch) -> None:
    monkeypatch.setattr("vidstyle.segment.mattes.lost.DOUBTFUL", 2.0)
    wish = Wish(Selection("box").clicked(30, 20, 0).clicked(70, 90, 0), style_picture)
    *_, results = desk.render([wish], RenderOptions(**{**vars(options), "last": 1}))
    assert str(results).startswith("Done: 2 frames in 0:")
    assert "box:30,20,71,91@0: doubtful in frames 0-1; look at them" in str(results)


BOXED = Selection("box").clicked(30, 20, 0).clicked(70, 90, 0)


def test_a_painted_frame_is_carried_by_a_render(desk, shot, options, tmp_path) -> None:
    painting = tmp_path / "hero.png"
    cv2.imwrite(str(painting), np.full((*shot.size, 3), (40, 200, 90), np.uint8))
    key = desk.keep_key(painting, 2)
    brushed = Selection("brush", mask=desk.paint(shot.matte(2)), frame=2)
    wish = Wish(brushed, None, ((key, 2),))
    *_, results = desk.render([wish], RenderOptions(**{**vars(options), "last": 3}))
    with av.open(str(results.clip)) as clip:
        *_, last = (frame.to_ndarray(format="bgr24") for frame in clip.decode(video=0))
    inside = cv2.erode(shot.matte(3), np.ones((9, 9))) == 255
    assert np.abs(last[inside].mean(axis=0) - (40, 200, 90)).max() < 25
    assert str(key) in results.all
    assert "--key hero.0002.png@2" in desk.command([wish], options)
    assert "--style" not in desk.command([wish], options)
    with pytest.raises(ValueError, match="choose a style picture"):
        desk.preview(0, [wish], options)


def test_a_painted_frame_of_another_size_is_refused_and_leaves_nothing(desk, tmp_path) -> None:
    painting = tmp_path / "small.png"
    cv2.imwrite(str(painting), np.zeros((48, 80, 3), np.uint8))
    with pytest.raises(MediaError, match=r"^--key small\.0002\.png@2: 80x48 pixels, but the clip"):
        desk.keep_key(painting, 2)
    assert not list(desk.clip.parent.rglob("small*"))


def test_of_several_objects_a_painting_names_its_own(desk, options, style_picture) -> None:
    wishes = [
        Wish(BOXED, style_picture),
        Wish(Selection("name", "person"), style_picture, ((Path("hero.png"), 3),)),
    ]
    assert "--style coffee.png --key 'hero.png@3#2'" in desk.command(wishes, options)


def test_a_render_says_how_sure_its_mattes_are(desk, options, style_picture) -> None:
    part = RenderOptions(**{**vars(options), "first": 4, "last": 6})
    there = Selection("box").clicked(30, 20, 4).clicked(70, 90, 4)
    *_, boxed = desk.render([Wish(there, style_picture)], part)
    assert (boxed.confidences.first, len(boxed.confidences.frames)) == (4, 3)
    *_, whole = desk.render([Wish(Selection(), style_picture)], part)
    assert whole.confidences is None


def test_a_cancelled_render_leaves_no_result(desk, options, style_picture) -> None:
    running = desk.render([Wish(Selection(), style_picture)], options)
    next(running)
    with pytest.raises(UsageError, match="is already being processed"):
        next(desk.render([Wish(Selection(), style_picture)], options))
    desk.cancel()
    with pytest.raises(Cancelled):
        list(running)
    assert not list(desk.clip.parent.rglob("*.styled.mp4"))
    *_, results = desk.render([Wish(Selection(), style_picture)], options)
    assert isinstance(results, Results)


@pytest.mark.parametrize("stage", ["cuts", "mattes", "statistics", "render"])
def test_no_thread_of_a_cancelled_render_is_left(
    desk, options, style_picture, monkeypatch, stage
) -> None:
    """One that waited would keep the page from ending."""

    class Soon(Watched):
        def advance(self, steps: int) -> None:
            if steps and str(self).startswith(stage):
                self.cancel()
            super().advance(steps)

    monkeypatch.setattr("vidstyle.ui.running.Watched", Soon)
    before = set(threading.enumerate())
    wish = Wish(Selection("box").clicked(30, 20, 0).clicked(70, 90, 0), style_picture)
    with pytest.raises(Cancelled) as held:
        list(desk.render([wish], options))
    assert held.value.__traceback__ is not None  # and with it all that was suspended
    assert set(threading.enumerate()) <= before


def test_leaving_the_page_cancels(desk, options, style_picture) -> None:
    running = desk.render([Wish(Selection(), style_picture)], options)
    next(running)
    running.close()
    assert not list(desk.clip.parent.rglob("*.styled.mp4"))


def test_a_lost_connection_costs_neither_run_nor_clip(
    shot, options, style_picture, tmp_path
) -> None:
    """A laptop that sleeps still shows the page."""
    desks = Desks(most_frames=100, most_pixels=1 << 24, within=tmp_path)
    desk = desks.take(Path(shutil.copy(shot.clip, tmp_path)), "visitor")
    running = desk.render([Wish(Selection(), style_picture)], replace(options, last=3))
    next(running)
    desks.leave("visitor")
    *_, results = running
    assert isinstance(results, Results)
    assert desk.frame(3).shape == (*shot.size, 3)
    desks.clear()


def test_a_lost_connection_ends_what_plays(shot, options, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("vidstyle.ui.desk.play", lambda *given: given[-1])
    desks = Desks(most_frames=100, most_pixels=1 << 24, within=tmp_path)
    screen = desks.take(Path(shutil.copy(shot.clip, tmp_path)), "visitor").play([], options)
    frame = Frame(torch.zeros(8, 8, 3, dtype=torch.uint8), 0, 0, Fraction(1))
    assert screen.show(frame, "")
    desks.leave("visitor")
    assert not screen.show(frame, "")
    desks.clear()


def test_what_a_render_refuses_reaches_the_user(desk, options, style_picture) -> None:
    corner = Selection("click").clicked(10_000, 5, 0)
    with pytest.raises((UsageError, ObjectNotFoundError)):
        list(desk.render([Wish(corner, style_picture)], options))


def test_the_same_command_line(desk, options, style_picture) -> None:
    chosen = RenderOptions(
        **{**vars(options), "model": "auto", "device": "auto", "strength": 0.5, "invert": True}
    )
    wish = Wish(Selection("click").clicked(5, 6, 2), style_picture)
    assert shlex.split(desk.command([wish], chosen)) == [
        *("vidstyle", "render", "shot.mp4", "--object", "point:5,6@2"),
        *("--style", style_picture.name, "--strength", "0.5", "--invert"),
        *("--segmenter", "grabcut"),
        *("-o", "shot.styled.mp4"),
    ]
