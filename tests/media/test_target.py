"""Output that could not be written, or would destroy its source, is refused before work starts."""

import os
import shutil
from pathlib import Path

import pytest

from vidstyle.errors import UsageError
from vidstyle.media.video.target import check_target, default_target, target_exists
from vidstyle.media.video.writer import open_writer


def test_missing_and_wrong_folders(tmp_path, info):
    with pytest.raises(UsageError, match="there is no folder") as caught:
        open_writer(str(tmp_path / "nowhere" / "out.mp4"), info())
    assert caught.value.exit_code == 2
    with pytest.raises(UsageError, match="there is no folder"):
        open_writer(str(tmp_path / "nowhere" / "shot.####.png"), info())
    with pytest.raises(UsageError, match="a folder; name a file"):
        open_writer(str(tmp_path), info())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_in(info):
    # Nobody, not even root, makes files in /proc.
    with pytest.raises(UsageError, match="cannot write in /proc"):
        open_writer("/proc/out.mp4", info())


def test_the_source_is_never_overwritten(tmp_path):
    source = tmp_path / "in.mp4"
    source.write_bytes(b"a clip")
    (tmp_path / "symbolic.mp4").symlink_to(source)
    os.link(source, tmp_path / "hard.mp4")
    (tmp_path / "folder").symlink_to(tmp_path)
    for name in ("in.mp4", "symbolic.mp4", "hard.mp4", "folder/in.mp4", "./in.mp4"):
        with pytest.raises(UsageError, match="the output is the input itself"):
            check_target(f"{tmp_path}/{name}", str(source))
    shutil.copy(source, tmp_path / "copy.mp4")
    check_target(str(tmp_path / "copy.mp4"), str(source))
    check_target(str(tmp_path / "new.mp4"), str(source))


def test_nor_is_a_source_sequence(tmp_path):
    for number in range(1001, 1004):
        (tmp_path / f"shot.{number}.png").touch()
    for source in ("shot.####.png", "shot.%04d.png", "", "shot.1002.png"):
        for target in ("shot.%04d.png", "shot.####.png", "shot.1002.png"):
            with pytest.raises(UsageError, match="the output is the input itself"):
                check_target(f"{tmp_path}/{target}", f"{tmp_path}/{source}")
        check_target(f"{tmp_path}/styled.####.png", f"{tmp_path}/{source}")


def test_a_link_to_nothing_in_the_source_is_no_output(tmp_path):
    (tmp_path / "shot.1001.png").touch()
    (tmp_path / "shot.1002.png").symlink_to(tmp_path / "gone.png")
    for source in ("", "shot.####.png"):
        check_target(f"{tmp_path}/styled.####.png", f"{tmp_path}/{source}")


def test_the_default_output_lies_beside_a_folder(tmp_path, monkeypatch):
    inside = tmp_path / "plates" / "low"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    beside = {".": inside.parent / "low.styled.mp4", "..": tmp_path / "plates.styled.mp4"}
    assert {name: Path(default_target(name)) for name in beside} == beside
    monkeypatch.chdir(inside.parent)
    assert default_target("low") == "low.styled.mp4"
    assert Path(default_target("/")).parent == Path("/")


def test_whether_a_target_exists(tmp_path):
    (tmp_path / "shot.0007.png").touch()
    (tmp_path / "out.mp4").touch()
    assert target_exists(str(tmp_path / "out.mp4"))
    assert target_exists(str(tmp_path / "shot.####.png"))
    assert target_exists(str(tmp_path / "shot.%04d.png"))
    assert not target_exists(str(tmp_path / "other.####.png"))
    assert not target_exists(str(tmp_path / "other.mp4"))
