"""Clips beside each other: equal size and length, mattes from files of any kind."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidstyle.errors import MediaError
from vidstyle.evaluate.footage import open_alike, together, window


def pictures(folder: Path, count: int, size: tuple[int, int] = (16, 24), first: int = 0) -> str:
    """Flat pictures, each as bright as its place."""
    folder.mkdir()
    for index in range(count):
        image = np.full((*size, 3), index, np.uint8)
        cv2.imwrite(str(folder / f"{first + index:04}.png"), image)
    return str(folder)


def test_frames_come_in_step_and_in_range(tmp_path: Path) -> None:
    a, b = pictures(tmp_path / "a", 6), pictures(tmp_path / "b", 6, first=100)
    readers = open_alike([a, b])
    seen = [
        (each.index, *(int(picture[0, 0, 0]) for picture in each.pictures))
        for each in together(readers, None, 2, 5)
    ]
    assert seen == [(2, 2, 2), (3, 3, 3), (4, 4, 4)]


def test_results_that_hold_a_part(tmp_path: Path) -> None:
    plate, part = pictures(tmp_path / "plate", 6), pictures(tmp_path / "part", 3, first=40)
    readers = open_alike([plate, part], part=True)
    seen = [
        (each.index, *(int(picture[0, 0, 0]) for picture in each.pictures))
        for each in together(readers, None, 2, 5, part=True)
    ]
    assert seen == [(2, 2, 0), (3, 3, 1), (4, 4, 2)]
    with pytest.raises(MediaError, match="part: ends before frame 3"):
        list(together(readers, None, 2, 6, part=True))


def test_no_more_frames_are_held_than_the_window_is_long(tmp_path: Path) -> None:
    readers = open_alike([pictures(tmp_path / "a", 6)])
    held = [[each.index for each in w] for w in window(together(readers, None, 0, None), 3)]
    assert held == [[0], [0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]]


def test_clips_that_differ(tmp_path: Path) -> None:
    plate = pictures(tmp_path / "plate", 4)
    with pytest.raises(MediaError, match=r"short: 3 frames, but .*plate has 4"):
        open_alike([plate, pictures(tmp_path / "short", 3)])
    with pytest.raises(MediaError, match=r"wide: 32×16 pixels, but .*plate has 24×16"):
        open_alike([plate, pictures(tmp_path / "wide", 4, (16, 32))])
    with pytest.raises(MediaError, match="smaller than 11 pixels"):
        open_alike([pictures(tmp_path / "tiny", 4, (8, 32))])


def test_a_clip_that_ends_early(tmp_path: Path, shot) -> None:
    """A container need not tell how many frames it holds."""
    readers = open_alike([str(shot.clip)])
    longer = open_alike([pictures(tmp_path / "long", 17, shot.size)])
    with pytest.raises(MediaError, match=r"shot.mp4: ends before frame 16"):
        list(together([*longer, *readers], None, 0, None))


def test_mattes_of_every_kind(tmp_path: Path, shot) -> None:
    readers = open_alike([str(shot.clip)])
    from_files = [each.matte for each in together(readers, shot.mattes, 3, 6)]
    for matte, index in zip(from_files, (3, 4, 5), strict=True):
        assert (matte == shot.matte(index)).all()
    for each in together(readers, str(shot.mask), 3, 6):
        assert (each.matte == shot.matte(0)).all()
    clip = [each.matte for each in together(readers, str(shot.clip), 3, 4)]
    assert (clip[0].shape, clip[0].dtype) == (shot.size, np.uint8)
    with pytest.raises(MediaError, match="no matte numbered 2-15"):
        list(together(readers, pictures(tmp_path / "few", 2, shot.size), 0, None))
    with pytest.raises(MediaError, match="matches no file"):
        list(together(readers, str(tmp_path / "m.%04d.png"), 0, None))


def test_mattes_are_matched_by_their_numbers(tmp_path: Path, shot) -> None:
    """Plates 101 to 106, mattes 99 to 108: each plate has the matte of its number."""
    plates, mattes = str(tmp_path / "p.%04d.png"), str(tmp_path / "m.%04d.png")
    for number in range(99, 109):
        cv2.imwrite(mattes % number, np.full(shot.size, number, np.uint8))
    for number in range(101, 107):
        cv2.imwrite(plates % number, np.full((*shot.size, 3), number, np.uint8))
    readers = open_alike([plates])
    seen = [int(each.matte[0, 0]) for each in together(readers, mattes, 2, None)]
    assert seen == [103, 104, 105, 106]
    Path(mattes % 104).unlink()
    with pytest.raises(MediaError, match="no matte numbered 104"):
        [*together(readers, mattes, 2, None)]
