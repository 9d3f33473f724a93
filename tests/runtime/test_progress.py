"""How far a run is: one course through all of its stages."""

import io
import logging
import os
import sys

import pytest

from vidstyle.cli.logs import start_logging
from vidstyle.errors import Cancelled, MediaError
from vidstyle.runtime.progress import (
    Bars,
    CancelToken,
    Course,
    Reporting,
    Step,
    build_progress,
    displayed,
)
from vidstyle.ui.running import Watched


def test_one_course_through_all_stages() -> None:
    course = Course()
    course.outline(["cuts", "mattes", "statistics", "mattes", "statistics", "render"])
    seen = [course.fraction]
    for name in ("cuts", "mattes", "statistics", "mattes", "statistics", "render"):
        course.stage(name, 4)
        seen.append(course.fraction)
        course.advance(2)
        course.advance(2)
        seen.append(course.fraction)
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert seen[-1] == 1
    # A stage begins where the one before it ended.
    assert seen[2:-1:2] == pytest.approx(seen[3::2])


def test_a_stage_that_is_left_out_is_passed() -> None:
    course = Course()
    course.outline(["cuts", "mattes", "render"])
    course.stage("cuts", 1)
    course.stage("render", 2)
    assert course.fraction == pytest.approx(11 / 23)


def test_without_an_outline_each_stage_is_a_run() -> None:
    course = Course()
    for _ in range(2):
        course.stage("stills", 4)
        course.advance(1)
        assert course.fraction == 0.25


def test_time_left_is_of_the_whole_run(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    watched = Watched()
    watched.outline(["cuts", "mattes", "render"])  # 1, 10 and 12 parts
    watched.stage("cuts", 10)
    assert str(watched) == "cuts 0/10"
    watched.stage("mattes", 10)
    now[0] += 4
    assert watched.fraction == pytest.approx(1 / 23)
    assert str(watched) == "mattes 0/10, about 1:28 left"


def test_log_lines_stand_above_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(logging.getLogger("vidstyle"), "level", logging.INFO)
    start_logging(logging.INFO, as_json=False)
    bars = Bars()
    bars.stage("mattes", 4)
    bars.advance(1)
    logging.getLogger("vidstyle.test").info("frames 3-4: seen")
    logging.getLogger("vidstyle.test").warning("something is odd")
    bars.close()
    lines = terminal.getvalue().replace("\r", "\n").splitlines()
    # Each on a line of its own, as it is.
    assert "frames 3-4: seen" in lines
    assert "warning: something is odd" in lines
    assert any("mattes" in line and "left" in line for line in lines)


def test_a_failure_is_told_and_raised_though_nobody_reads(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MediaError), displayed("json"):
        raise MediaError("a.mp4: gone")
    assert capsys.readouterr().out == '{"failed": "a.mp4: gone"}\n'
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as unread:
        monkeypatch.setattr(sys, "stdout", unread)
        with pytest.raises(MediaError), displayed("json"):
            raise MediaError("a.mp4: gone")


def test_asking_whether_to_go_on_reports_nothing(capfd) -> None:
    told, token = list[Step](), CancelToken()
    run = Reporting(told.append, token)
    lines = build_progress("json")
    for progress in (run, lines):
        progress.stage("mattes", 0)
        progress.advance(0)
    assert len(told) == 1
    assert capfd.readouterr().out.count("\n") == 1
    token.cancel()
    with pytest.raises(Cancelled):
        run.advance(0)
