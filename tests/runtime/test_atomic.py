"""Files and folders under their name are whole; what killed makers leave is told apart and goes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vidstyle.errors import MediaError, UsageError
from vidstyle.runtime.atomic import Unfinished, replacing, replacing_folder, write_text
from vidstyle.runtime.claim import claimed
from vidstyle.runtime.leftovers import A_DAY, sweep
from vidstyle.runtime.scratch import temporary_folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def killed(script: str) -> None:
    """Run a script that is killed, as by a scheduler, when it comes to its end."""
    script += "\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL


def test_two_makers_with_one_process_id_share_no_file(tmp_path: Path) -> None:
    """As in two containers."""
    target = tmp_path / "film.mp4"
    first, second = Unfinished(target), Unfinished(target)
    for maker, content in ((first, b"first"), (second, b"second")):
        maker.path.write_bytes(content)
    first.finish()
    assert target.read_bytes() == b"first"
    second.finish()
    assert target.read_bytes() == b"second"
    assert names(tmp_path) == ["film.mp4"]


def test_what_is_finished_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_ino))
    write_text(tmp_path / "report.json", "{}")
    assert synced == [(tmp_path / "report.json").stat().st_ino, tmp_path.stat().st_ino]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_text("before")

    def fail() -> None:
        with replacing(target) as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert target.read_text() == "before"
    assert names(tmp_path) == ["report.json"]


def test_a_folder_takes_the_place_of_another_whole(tmp_path: Path) -> None:
    target = tmp_path / "model"
    for content in ("one", "two"):
        with replacing_folder(target) as folder:
            (folder / "config.toml").write_text(content)
        assert (target / "config.toml").read_text() == content

    def fail() -> None:
        with replacing_folder(target) as folder:
            (folder / "config.toml").write_text("three")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (target / "config.toml").read_text() == "two"
    assert names(tmp_path) == ["model"]


def test_a_folder_that_has_gone_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="its folder has gone"):
        write_text(tmp_path / "gone" / "report.json", "{}")


def test_what_is_looked_for_by_its_suffix_is_whole(tmp_path: Path) -> None:
    with replacing(tmp_path / "record.json"):
        assert not list(tmp_path.glob("*.json"))
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_the_longest_names_can_be_written(tmp_path: Path) -> None:
    for name in ("n" * 250 + ".json", "A title. " + "n" * 240):
        write_text(tmp_path / name, "{}")
    assert len(names(tmp_path)) == 2


def test_what_a_killed_process_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    killed(f"""
from pathlib import Path
from vidstyle.runtime.atomic import Unfinished, replacing_folder
kept = Unfinished(Path({str(tmp_path / "film.mp4")!r}), by_suffix=True)
folder = replacing_folder(Path({str(tmp_path / "model")!r}))
(folder.__enter__() / "weights").write_text("half")
""")
    left = names(tmp_path)
    assert len(left) == 2
    mine = Unfinished(tmp_path / "mine.mp4")
    others = [
        *("film.mp4", ".film.mp4", ".film.partial", ".a.0000-1-2.partial", "shot.partial.0001.exr"),
        # Of another machine, or of a container beside this one.
        ".film.00000000-1-00000000.partial.mp4",
    ]
    for name in others:
        (tmp_path / name).touch()
    sweep(tmp_path, tmp_path / "none")
    assert names(tmp_path) == sorted([mine.path.name, *others])
    day_ago = time.time() - A_DAY - 1
    for path in tmp_path.iterdir():
        os.utime(path, (day_ago, day_ago))
    sweep(tmp_path)
    assert names(tmp_path) == sorted([mine.path.name, *others[:-1]])


def test_temporary_folders_of_killed_processes_go_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    killed(f"""
import tempfile
tempfile.tempdir = {str(tmp_path)!r}
from vidstyle.runtime.scratch import temporary_folder
kept = temporary_folder()
(kept.__enter__() / "000000.png").touch()
""")
    assert len(names(tmp_path)) == 1
    with temporary_folder() as folder:
        assert list(tmp_path.iterdir()) == [folder]
        assert folder.stat().st_mode & 0o077 == 0
    assert not names(tmp_path)


def test_one_maker_at_a_time(tmp_path: Path) -> None:
    film = str(tmp_path / "film.mp4")
    with claimed(film):
        with (
            pytest.raises(UsageError, match=r"film\.mp4: another run is writing it"),
            claimed(film),
        ):
            pass
        with claimed(str(tmp_path / "other.mp4")):
            pass
    assert not names(tmp_path)


def test_the_claim_of_a_killed_process_counts_no_more(tmp_path: Path) -> None:
    film = str(tmp_path / "film.mp4")
    made = f"kept = claimed({film!r})\nkept.__enter__()"
    killed(f"from vidstyle.runtime.claim import claimed\n{made}")
    with claimed(film):
        pass
    assert not names(tmp_path)
