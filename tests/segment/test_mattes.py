"""Mattes on disk."""

import cv2
import numpy as np
import pytest

from vidstyle.errors import MediaError
from vidstyle.media.frame import Box
from vidstyle.segment.mattes.numbering import match_numbers
from vidstyle.segment.mattes.store import GivenMattes, MatteStore

SIZE = (40, 60)


def blob(value: int = 255, dtype: type = np.uint8) -> np.ndarray:
    matte = np.zeros(SIZE, dtype)
    matte[10:20, 30:50] = value
    return matte


def write(folder, names, matte=None):
    for name in names:
        assert cv2.imwrite(str(folder / name), blob() if matte is None else matte)


def test_store_gives_back_what_it_took(tmp_path):
    store = MatteStore(tmp_path / "m", SIZE, 3)
    soft = blob(100)
    store[1] = soft
    assert len(store) == 3
    assert np.array_equal(store[1], soft)
    assert store.box(1) == Box(30, 10, 50, 20)


def test_store_reads_empty_where_nothing_was_written(tmp_path):
    store = MatteStore(tmp_path, SIZE, 3)
    assert not store[2].any()
    assert store[2].shape == SIZE
    assert store.box(2) is None
    with pytest.raises(IndexError):
        store[3]


def test_store_keeps_no_pictures_in_memory(tmp_path):
    store = MatteStore(tmp_path, SIZE, 100)
    for i in range(100):
        store[i] = blob()
    held = [v for v in vars(store).values() if isinstance(v, list)]
    assert all(isinstance(item, Box | float) for items in held for item in items)
    assert len(list(tmp_path.glob("*.png"))) == 100


@pytest.mark.parametrize("pattern", ["m.%04d.png", "m.####.png", ""])
def test_given_mattes_are_numbered_by_their_place(tmp_path, pattern):
    for number in (1001, 1002, 1003):
        write(tmp_path, [f"m.{number}.png"], blob(number - 900))
    mattes = GivenMattes(str(tmp_path / pattern), SIZE, 3)
    assert len(mattes) == 3
    assert [int(mattes[i].max()) for i in range(3)] == [101, 102, 103]
    assert mattes.box(1) == Box(30, 10, 50, 20)


def test_a_folder_is_ordered_by_number(tmp_path):
    write(tmp_path, ["m10.png"], blob(210))
    write(tmp_path, ["m9.png"], blob(209))
    mattes = GivenMattes(str(tmp_path), SIZE, 2)
    assert [int(mattes[i].max()) for i in range(2)] == [209, 210]


def test_mattes_of_a_part_belong_to_its_frames(tmp_path):
    for number in (3, 4, 5):
        write(tmp_path, [f"m.{number:04}.png"], blob(100 + number))
    part = GivenMattes(str(tmp_path), SIZE, 6, start=3)
    assert len(part) == 6
    assert [int(part[i].max()) for i in (3, 4, 5)] == [103, 104, 105]
    whole = GivenMattes(str(tmp_path), SIZE, 3, start=2)
    assert int(whole[2].max()) == 105


def test_other_numbers_of_mattes_than_frames_are_refused(tmp_path):
    write(tmp_path, ["m.0001.png", "m.0002.png"])
    for start in (0, 2):
        with pytest.raises(MediaError, match=f"2 mattes for frames {start} to 4"):
            GivenMattes(str(tmp_path / "m.%04d.png"), SIZE, 5, start)


def numbered(folder, numbers):
    """A matte for each number, as bright as its last two digits tell."""
    for number in numbers:
        write(folder, [f"m.{number:04}.png"], blob(100 + number % 100))


def test_mattes_have_the_numbers_of_the_plates(tmp_path, caplog):
    numbered(tmp_path, range(1001, 1025))
    mattes = GivenMattes(str(tmp_path / "m.%04d.png"), SIZE, 3, 0, [1009, 1010, 1012])
    assert [int(mattes[i].max()) for i in range(3)] == [109, 110, 112]
    assert "no plate has the numbers 1001-1008, 1011, 1013-1024" in caplog.text


def test_a_part_takes_the_mattes_of_its_plates(tmp_path):
    numbered(tmp_path, range(1001, 1005))
    mattes = GivenMattes(str(tmp_path), SIZE, 4, 2, [1001, 1002, 1003, 1004])
    assert [int(mattes[i].max()) for i in (2, 3)] == [103, 104]


def test_a_plate_without_a_matte_is_named(tmp_path):
    numbered(tmp_path, [1, 2, 5, 6])
    with pytest.raises(MediaError, match=r"no matte numbered 3-4, for 2 of 6 frames from frame 2"):
        GivenMattes(str(tmp_path), SIZE, 6, 0, range(1, 7))
    with pytest.raises(MediaError, match=r"numbered 1-6, the plates 1001-1004"):
        GivenMattes(str(tmp_path), SIZE, 4, 0, range(1001, 1005))


def test_a_gap_in_the_mattes_of_a_video_moves_none_of_them(tmp_path):
    numbered(tmp_path, [1, 2, 4, 5])
    mattes = GivenMattes(str(tmp_path), SIZE, 2)
    assert [int(mattes[i].max()) for i in range(2)] == [101, 102]
    with pytest.raises(MediaError, match="no matte numbered 3, for 1 of 4 frames from frame 2"):
        GivenMattes(str(tmp_path), SIZE, 4)


@pytest.mark.parametrize(
    ("given", "start", "stop", "expected"),
    [
        (range(24), 5, 11, 5),  # numbers of frames
        (range(1, 25), 5, 24, 6),  # counted from 1
        (range(1, 25), 1, 11, 2),
        (range(1001, 1025), 5, 11, 1006),
        (range(5, 11), 5, 11, 5),  # a part, by the frames' numbers
        (range(5, 24), 5, 11, 5),
        (range(1, 7), 5, 11, 1),  # a part, counted by itself
    ],
)
def test_the_mattes_of_a_video_are_told_by_their_numbers(given, start, stop, expected):
    places = match_numbers("matte:m", given, range(start, stop), None)
    assert given[places[start]] == expected
    assert given[places[stop - 1]] == expected + stop - 1 - start


def test_a_lone_matte_goes_with_a_lone_plate(tmp_path):
    write(tmp_path, ["matte.png"])
    assert GivenMattes(str(tmp_path / "matte.png"), SIZE, 1, 0, [1001])[0].any()


def test_no_mattes_at_all(tmp_path):
    with pytest.raises(MediaError, match=r"matte:.*matches no file"):
        GivenMattes(str(tmp_path / "m.%04d.png"), SIZE, 5)


def test_a_matte_of_another_size_is_named(tmp_path):
    write(tmp_path, ["m.0001.png"])
    write(tmp_path, ["m.0002.png"], np.zeros((41, 60), np.uint8))
    mattes = GivenMattes(str(tmp_path / "m.####.png"), SIZE, 2)
    with pytest.raises(MediaError, match=r"m\.0002\.png.*60x41.*60x40"):
        mattes[1]
