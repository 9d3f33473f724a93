"""Mattes on disk."""

import cv2
import numpy as np
import pytest

from vidstyle.errors import MediaError
from vidstyle.frame import Box
from vidstyle.segment.mattes import GivenMattes, MatteStore, read_matte

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
        write(tmp_path, [f"m.{number}.png"], blob(number - 1000))
    mattes = GivenMattes(str(tmp_path / pattern), SIZE, 3)
    assert len(mattes) == 3
    assert [int(mattes[i].max()) for i in range(3)] == [1, 2, 3]
    assert mattes.box(1) == Box(30, 10, 50, 20)


def test_a_folder_is_ordered_by_number(tmp_path):
    write(tmp_path, ["m10.png"], blob(10))
    write(tmp_path, ["m9.png"], blob(9))
    mattes = GivenMattes(str(tmp_path), SIZE, 2)
    assert [int(mattes[i].max()) for i in range(2)] == [9, 10]


def test_mattes_of_a_part_belong_to_its_frames(tmp_path):
    for number in (3, 4, 5):
        write(tmp_path, [f"m.{number:04}.png"], blob(number))
    part = GivenMattes(str(tmp_path), SIZE, 6, start=3)
    assert len(part) == 6
    assert [int(part[i].max()) for i in (3, 4, 5)] == [3, 4, 5]
    whole = GivenMattes(str(tmp_path), SIZE, 3, start=2)
    assert int(whole[2].max()) == 5


def test_other_numbers_of_mattes_than_frames_are_refused(tmp_path):
    write(tmp_path, ["m.0001.png", "m.0002.png"])
    for start in (0, 2):
        with pytest.raises(MediaError, match=f"2 mattes for frames {start} to 4"):
            GivenMattes(str(tmp_path / "m.%04d.png"), SIZE, 5, start)


def test_no_mattes_at_all(tmp_path):
    with pytest.raises(MediaError, match=r"matte:.*matches no file"):
        GivenMattes(str(tmp_path / "m.%04d.png"), SIZE, 5)


def test_a_matte_of_another_size_is_named(tmp_path):
    write(tmp_path, ["m.0001.png"])
    write(tmp_path, ["m.0002.png"], np.zeros((41, 60), np.uint8))
    mattes = GivenMattes(str(tmp_path / "m.####.png"), SIZE, 2)
    with pytest.raises(MediaError, match=r"m\.0002\.png.*60x41.*60x40"):
        mattes[1]


def test_sixteen_bits_are_scaled(tmp_path):
    write(tmp_path, ["a.png"], blob(65535, np.uint16))
    write(tmp_path, ["b.png"], blob(32896, np.uint16))
    assert read_matte(tmp_path / "a.png", SIZE).max() == 255
    assert read_matte(tmp_path / "b.png", SIZE).max() == 128


def test_alpha_is_the_matte_unless_opaque(tmp_path):
    cutout = np.dstack([np.full(SIZE, 9, np.uint8)] * 3 + [blob()])
    opaque = np.dstack([blob()] * 3 + [np.full(SIZE, 255, np.uint8)])
    write(tmp_path, ["cutout.png"], cutout)
    write(tmp_path, ["opaque.png"], opaque)
    assert np.array_equal(read_matte(tmp_path / "cutout.png", SIZE), blob())
    assert np.array_equal(read_matte(tmp_path / "opaque.png", SIZE), blob())


def test_an_unreadable_matte_is_bad_media(tmp_path):
    path = tmp_path / "m.png"
    path.write_text("no picture")
    with pytest.raises(MediaError, match=r"m\.png"):
        read_matte(path, SIZE)
    with pytest.raises(MediaError, match="missing"):
        read_matte(tmp_path / "absent.png", SIZE)
