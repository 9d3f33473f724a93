"""``vidstyle study`` from folders of results to a report."""

import json
import shutil
from pathlib import Path

import pytest

from vidstyle.evaluate.study.answers import Answer, Answers
from vidstyle.evaluate.study.study import ANSWERS, MEDIA, Study


@pytest.fixture
def folders(shot, tmp_path: Path) -> list[Path]:
    made = [tmp_path / name for name in ("ours", "theirs")]
    for folder in made:
        folder.mkdir()
        shutil.copy(shot.clip, folder)
    return made


def test_make_and_report(vidstyle, folders, tmp_path: Path) -> None:
    study = tmp_path / "study"
    made = vidstyle("study", "make", *folders, "-o", study, "--question", "Which is calmer?")
    assert (made.code, made.out) == (0, f"{study}: 1 item, 1 trial a rater\n")
    early = vidstyle("study", "report", study)
    assert (early.code, "no answers yet" in early.err) == (2, True)
    answers = Answers(study / ANSWERS)
    for rater in range(12):
        session = f"{rater:032x}"
        (trial,) = Study.read(study).trials_of(session)
        names = ("ours", "theirs")
        choice = "left" if names[trial.left] == "ours" else "right"
        sides = names[trial.left], names[trial.right]
        answers.add(Answer(session, 0, trial.item.name, *sides, choice))
    parts = ("--json", tmp_path / "s.json", "--plot", tmp_path / "s.svg")
    told = vidstyle("study", "report", study, *parts)
    assert told.code == 0, told.err
    assert "Which is calmer?\n12 votes of 12 raters on 1 item" in told.out
    (pair,) = json.loads((tmp_path / "s.json").read_text())["pairs"]
    assert pair["wins"] == [12, 0, 0]
    assert pair["p"] == pytest.approx(2 / 2**12)
    assert (tmp_path / "s.svg").read_text().startswith("<svg")


def test_a_study_without_its_media_is_not_served(vidstyle, folders, tmp_path: Path) -> None:
    study = tmp_path / "study"
    assert vidstyle("study", "make", *folders, "-o", study).code == 0
    (lost, *_) = sorted((study / MEDIA).iterdir())
    lost.unlink()
    outcome = vidstyle("study", "serve", study, "--port", "0")
    assert outcome.code == 3
    assert f"{lost}: missing (1 of 2 files are)" in outcome.err


def test_results_that_are_copies_are_reported(vidstyle, folders, tmp_path: Path, caplog) -> None:
    assert vidstyle("study", "make", *folders, "-o", tmp_path / "study").code == 0
    name = f"{folders[0]}/shot.mp4"
    assert f"{name} and {folders[1]}/shot.mp4 are the same file" in caplog.text


def test_an_empty_question_is_refused(vidstyle, folders, tmp_path: Path) -> None:
    outcome = vidstyle("study", "make", *folders, "-o", tmp_path / "study", "--question", " ")
    assert (outcome.code, "--question is empty" in outcome.err) == (2, True)


def test_what_is_no_study_is_refused(vidstyle, folders) -> None:
    for command in ("serve", "report"):
        outcome = vidstyle("study", command, folders[0])
        assert outcome.code == 3
        assert "not a study" in outcome.err
