"""Nothing is written outside the batch's folder, whatever shots are called."""

from pathlib import Path

import pytest

from vidstyle.batch.names import safe_name
from vidstyle.batch.run import Defaults, run_batch
from vidstyle.batch.shot import Shot
from vidstyle.batch.targets import names_of, target_of
from vidstyle.errors import UsageError
from vidstyle.options import RenderOptions
from vidstyle.runtime.progress import build_progress


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("sh010", "sh010"),
        ("Größe 1 (v2)", "Größe 1 (v2)"),
        ("../../etc/passwd", "passwd"),
        ("/plates/sh010/", "sh010"),
        ("C:\\plates\\sh010", "sh010"),
        ("take#2%04d@3", "take_2_04d_3"),
        ("..", "_"),
        ("", "_"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("new\nline\0", "new_line_"),
        ("COM1", "_COM1"),
        ("nul.txt", "_nul.txt"),
        ("x" * 300, "x" * 100),
        ("<script>", "_script_"),
    ],
)
def test_names_that_every_file_system_takes(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_no_two_shots_share_a_name() -> None:
    shots = [Shot(name, "a.mov") for name in ("sh1", "SH1", "a/sh1", "sh2", "sh1_2")]
    names = names_of(shots)
    assert names == ["sh1", "SH1_2", "sh1_3", "sh2", "sh1_2_2"]
    assert len({name.casefold() for name in names}) == len(shots)


@pytest.mark.parametrize(
    ("source", "codec", "target"),
    [
        ("a.mov", None, "sh.mov"),
        ("a.MP4", None, "sh.mp4"),
        ("a.mxf", None, "sh.mxf"),
        ("a.mp4", "prores", "sh.mov"),
        ("a.mov", "ffv1", "sh.mkv"),
        ("p.%04d.exr", None, "sh/sh.%04d.exr"),
        ("p.####.bmp", None, "sh/sh.####.png"),
        ("p.####.exr", "prores", "sh.mov"),
    ],
)
def test_outputs_are_of_their_sources_kind_where_the_codec_allows(
    tmp_path: Path, source: str, codec: str | None, target: str
) -> None:
    found = target_of(Shot("sh", source), "sh", codec, tmp_path)
    assert Path(found).relative_to(tmp_path).as_posix() == target


def test_two_shots_of_one_name_do_not_share_an_output(tmp_path: Path) -> None:
    shots = [Shot("a", source, output="sh.mov") for source in ("1.mov", "2.mov")]
    defaults = Defaults((), (), RenderOptions())
    with pytest.raises(UsageError, match="shots a and a both go to"):
        run_batch(shots, tmp_path, defaults, build_progress("none"))


def test_outputs_that_the_list_names(tmp_path: Path) -> None:
    shot = Shot("sh", "a.mov", output="reel 1/sh.mkv")
    assert target_of(shot, "sh", None, tmp_path) == str(tmp_path / "reel 1/sh.mkv")


@pytest.mark.parametrize(
    "output", ["../a.mov", "/tmp/a.mov", "x/../../a.mov", ".", "", "link/a.mov", ".vidstyle/a.mov",
               "a\0.mov", "x/.a.mov"],
)  # fmt: skip
def test_outputs_that_lead_out_are_refused(tmp_path: Path, output: str) -> None:
    root = tmp_path / "out"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="not a file within"):
        target_of(Shot("sh", "a.mov", output=output), "sh", None, root)
