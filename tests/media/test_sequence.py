"""Numbered pictures: names, numbers, gaps, and pictures of many kinds."""

import errno
import shutil
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vidstyle.errors import MediaError, UsageError
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.writer import open_writer


@pytest.fixture
def shot(tmp_path, info, pan):
    """shot.1001.png … shot.1006.png without 1003."""
    folder = tmp_path / "shot"
    folder.mkdir()
    movie = info(start_pts=1001, time_base=Fraction(1, 24), rate=Fraction(24), is_sequence=True)
    with open_writer(str(folder / "shot.%04d.png"), movie) as writer:
        for frame in pan(movie, 6):
            if frame.pts != 1003:
                writer.write(frame)
    return folder


@pytest.mark.parametrize("name", ["shot/shot.%04d.png", "shot/shot.####.png", "shot", "shot/"])
def test_numbers_in_names_are_times(shot, name, caplog):
    reader = open_clip(f"{shot.parent}/{name}")
    assert reader.info.is_sequence
    assert reader.info.rate == 24
    assert reader.info.frame_count == 5
    frames = list(reader.frames())
    assert [frame.pts for frame in frames] == [1001, 1002, 1004, 1005, 1006]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert frames[0].time_base == Fraction(1, 24)
    assert "pictures missing (1): 1003" in caplog.text


def test_the_rate_can_be_told(shot):
    assert open_clip(str(shot), Fraction(25)).info.time_base == Fraction(1, 25)


def test_a_sequence_keeps_its_numbers_and_a_clip_its_indices(shot, tmp_path, info, pan):
    reader = open_clip(str(shot))
    (tmp_path / "out").mkdir()
    with open_writer(str(tmp_path / "out" / "new.#####.png"), reader.info) as writer:
        for frame in reader.frames(1, 3):
            writer.write(frame)
    movie = info()
    with open_writer(str(tmp_path / "out" / "clip.%d.jpg"), movie) as writer:
        for frame in pan(movie, 3)[1:]:
            writer.write(frame)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["clip.1.jpg", "clip.2.jpg", "new.01002.png", "new.01004.png"]


def test_a_sequence_becomes_a_movie_that_starts_at_zero(shot, tmp_path):
    reader = open_clip(str(shot))
    target = str(tmp_path / "out.mp4")
    with open_writer(target, reader.info, source=str(shot)) as writer:
        for frame in reader.frames():
            writer.write(frame)
    movie = open_clip(target)
    assert [frame.time * 24 for frame in movie.frames()] == [0, 1, 3, 4, 5]
    assert (movie.info.colour.matrix, movie.info.colour.range) == (6, 1)


def test_one_picture_is_a_clip_of_one_frame(shot, tmp_path, info, pan):
    (frame,) = open_clip(str(shot / "shot.1002.png")).frames()
    assert (frame.index, frame.pts) == (0, 0)
    movie = info()
    first, second = pan(movie, 2)
    with open_writer(str(tmp_path / "still.png"), movie) as writer:
        writer.write(first)
        with pytest.raises(UsageError, match="one picture cannot hold a clip"):
            writer.write(second)
    (back,) = open_clip(str(tmp_path / "still.png")).frames()
    assert torch.equal(back.image, first.image)


def test_pictures_of_many_kinds_come_as_rgb(tmp_path):
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    pictures = {
        "colour": (colour, colour[..., ::-1]),
        "grey": (colour[..., 0], np.repeat(colour[..., :1], 3, axis=2)),
        "alpha": (np.dstack([colour, colour[..., 0]]), colour[..., ::-1]),
        "deep": (colour.astype(np.uint16) * 250, colour[..., ::-1].astype(np.uint16) * 250),
        "deep_grey": (
            colour[..., 0].astype(np.uint16) * 250,
            np.repeat(colour[..., :1], 3, axis=2).astype(np.uint16) * 250,
        ),
    }
    for name, (stored, expected) in pictures.items():
        path = str(tmp_path / f"{name}.png")
        cv2.imwrite(path, stored)
        (frame,) = open_clip(path).frames()
        assert frame.image.numpy().dtype == expected.dtype
        assert np.array_equal(frame.image.numpy(), expected)


def test_a_picture_of_another_size_or_depth_is_named(shot):
    size = cv2.imread(str(shot / "shot.1004.png"))
    cv2.imwrite(str(shot / "shot.1004.png"), size[:50])
    frames = open_clip(str(shot)).frames()
    assert [next(frames).pts, next(frames).pts] == [1001, 1002]
    with pytest.raises(MediaError, match=r"shot\.1004\.png: 96×50 at 8 bits, .* 96×72 at 8"):
        next(frames)
    cv2.imwrite(str(shot / "shot.1004.png"), size.astype(np.uint16))
    with pytest.raises(MediaError, match=r"shot\.1004\.png: 96×72 at 16 bits"):
        list(open_clip(str(shot)).frames())
    (shot / "shot.1004.png").write_bytes(b"\x89PNG")
    with pytest.raises(MediaError, match=r"shot\.1004\.png: not a picture"):
        list(open_clip(str(shot)).frames())


@pytest.mark.parametrize("method", ["iterdir", "read_bytes"])
def test_what_may_not_be_read_is_named(shot, monkeypatch, method):
    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, method, refuse)
    with pytest.raises(MediaError, match=r"shot.*: cannot be read \(Permission denied\)"):
        open_clip(str(shot))


def test_a_folder_of_two_sequences_asks_for_one(shot):
    shutil.copy(shot / "shot.1001.png", shot / "matte.1001.png")
    with pytest.raises(MediaError, match=r"2 sequences in it \(matte\..*; name one"):
        open_clip(str(shot))


def test_real_frames(real):
    reader = open_clip(real("davis/libby/frames"))
    assert reader.info.size == (480, 854)
    first, third = next(reader.frames()), next(reader.frames(2))
    assert (first.pts, third.pts) == (0, 2)
    assert not torch.equal(first.image, third.image)
