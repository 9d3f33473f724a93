"""Which files a name stands for."""

from pathlib import Path

import pytest

from vidstyle.errors import MediaError
from vidstyle.media.pattern import (
    is_pattern,
    matching,
    numbered,
    parse_pattern,
    patterns_in,
    pictures,
    split_channel,
)


def touch(folder: Path, names: list[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def found(source: object) -> list[tuple[int, str]]:
    return [(file.number, file.path.name) for file in pictures(str(source))]


@pytest.mark.parametrize(
    ("pattern", "first", "second"),
    [
        ("frame-%04d.png", "frame-0001.png", "frame-0002.png"),
        ("frame_####.png", "frame_0001.png", "frame_0002.png"),
        ("%05d_left.png", "00001_left.png", "00002_left.png"),
        ("####-left.v2.png", "0001-left.v2.png", "0002-left.v2.png"),
        ("take#2_####.png", "take#2_0001.png", "take#2_0002.png"),
        ("v2.@@@.png", "v2.001.png", "v2.002.png"),
        ("%d.png", "1.png", "2.png"),
        ("[1] 50%.#.png", "[1] 50%.1.png", "[1] 50%.2.png"),
    ],
)
@pytest.mark.parametrize("folder", ["plain", "a#b", "x@2", "p_%d", "take [1]", "%04d", "####"])
def test_a_pattern_and_its_folder_stand_for_the_same(tmp_path, folder, pattern, first, second):
    at = touch(tmp_path / folder, [second, first])
    assert found(at / pattern) == found(at) == [(1, first), (2, second)]
    assert numbered(str(at / pattern), 2) == at / second
    assert is_pattern(str(at / pattern))
    assert not is_pattern(str(at / first))


def test_a_dash_is_a_minus_only_where_no_name_stands_before_it(tmp_path):
    at = touch(tmp_path, ["shot.-002.png", "shot.-001.png", "shot.0000.png", "shot.0001.png"])
    assert [number for number, _ in found(at / "shot.%04d.png")] == [-2, -1, 0, 1]
    assert [number for number, _ in found(at)] == [-2, -1, 0, 1]


def test_numbers_go_as_they_are_padded(tmp_path):
    at = touch(tmp_path, ["a.9998.png", "a.9999.png", "a.10000.png", "a.0001.png", "a.7.png"])
    assert [number for number, _ in found(at / "a.####.png")] == [1, 9998, 9999, 10000]
    assert found(at / "a.#.png") == [(7, "a.7.png"), *found(at / "a.####.png")[1:]]


def test_the_number_at_the_end_counts_unless_only_another_rises(tmp_path):
    versions = touch(tmp_path / "a", ["sc1_v2_001.png", "sc1_v2_002.png"])
    assert [number for number, _ in found(versions)] == [1, 2]
    takes = touch(tmp_path / "b", ["f001_take2.png", "f002_take2.png"])
    assert [number for number, _ in found(takes)] == [1, 2]
    assert [str(pattern) for pattern in patterns_in(takes)] == ["f###_take2.png"]


def test_two_eyes_are_two_sequences(tmp_path):
    at = touch(tmp_path, ["01_left.png", "02_left.png", "01_right.png", "02_right.png"])
    assert [str(pattern) for pattern in patterns_in(at)] == ["##_left.png", "##_right.png"]
    with pytest.raises(MediaError, match=r"2 sequences in it \(##_left.png, ##_right.png"):
        pictures(str(at))


def test_hidden_and_other_files_are_no_pictures(tmp_path):
    at = touch(tmp_path, ["._a.0001.png", "a.0001.png", "a.0002.png", "notes.txt"])
    assert [name for _, name in found(at)] == ["a.0001.png", "a.0002.png"]


def test_words_with_signs_are_no_patterns(tmp_path):
    for name in ("take#2.mov", "a@b.png", "50%done.mov", "plain.png"):
        assert not is_pattern(str(tmp_path / name))
        assert matching(str(tmp_path / name)) == []
        assert numbered(name, 3) == Path(name)
    assert str(parse_pattern("shots/s.%04d.exr")) == "s.%04d.exr"


def test_a_part_is_picked_of_files_and_folders(tmp_path):
    touch(tmp_path / "m", ["a#2.png"])
    assert split_channel("comp.####.exr#mask") == ("comp.####.exr", "mask")
    assert split_channel(f"{tmp_path}/m#2") == (f"{tmp_path}/m", "2")
    assert split_channel(f"{tmp_path}/m/#2") == (f"{tmp_path}/m/", "2")
    assert split_channel(f"{tmp_path}/m/a#2.png") == (f"{tmp_path}/m/a#2.png", None)
