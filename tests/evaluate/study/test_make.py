"""A study's folder gives nothing away, and what cannot be a study is refused."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from vidstyle.errors import MediaError, UsageError
from vidstyle.evaluate.study.make import make_study
from vidstyle.evaluate.study.study import MEDIA, Study


def test_copies_are_exact_and_their_names_tell_nothing(results, study_folder: Path) -> None:
    study = Study.read(study_folder)
    assert study.methods == ("ours", "theirs", "plain")
    assert [item.name for item in study.items] == ["a.png", "b.png", "shot.mp4"]
    for item in study.items:
        for folder, copy in zip(results, item.results, strict=True):
            assert (study_folder / MEDIA / copy).read_bytes() == (folder / item.name).read_bytes()
    names = [Path(name).stem for name in study.media()]
    assert len(set(names)) == len(names) == len(list((study_folder / MEDIA).iterdir())) == 12
    assert {len(name) for name in names} == {16}


def test_order_and_sides_are_drawn_for_each_session(study_folder: Path) -> None:
    study = Study.read(study_folder)
    orders = {tuple(t.number for t in study.trials_of(str(session))) for session in range(20)}
    assert len(orders) > 15
    left = Counter(t.left for session in range(200) for t in study.trials_of(str(session)))
    assert all(0.28 < left[method] / left.total() < 0.39 for method in range(3))
    assert study.trials_of("a") == study.trials_of("a")


def test_a_rater_gets_no_more_trials_than_wanted(results, tmp_path: Path) -> None:
    study = make_study(results, tmp_path / "s", "?", trials_each=4)
    assert [len(Study.read(tmp_path / "s").trials_of(s)) for s in "ab"] == [4, 4]
    seen = {t.number for session in range(40) for t in study.trials_of(str(session))}
    assert seen == set(range(9))


def test_refusals_name_the_folder_and_leave_nothing(results, tmp_path: Path) -> None:
    target, empty = tmp_path / "study", tmp_path / "empty"
    empty.mkdir()
    broken = tmp_path / "broken"
    shutil.copytree(results[0], broken)
    (broken / "b.png").write_bytes(b"no picture")
    with pytest.raises(UsageError, match="two folders"):
        make_study(results[:1], target, "?")
    with pytest.raises(UsageError, match="different names"):
        make_study([results[0], results[0]], target, "?")
    with pytest.raises(MediaError, match="shares no file"):
        make_study([empty, results[0]], target, "?")
    with pytest.raises(MediaError, match=r"b\.png"):
        make_study([broken, results[0]], target, "?")
    with pytest.raises(MediaError, match="--reference"):
        make_study(results, target, "?", reference=empty)
    with pytest.raises(UsageError, match="exists"):
        make_study(results, empty, "?")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken", "empty"]


def test_what_is_no_study_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text("[]")
    with pytest.raises(MediaError, match="not a study"):
        Study.read(tmp_path)
