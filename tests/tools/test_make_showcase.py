"""The animation that README opens with."""

import numpy as np
from make_showcase import SHOTS, captioned, wiped
from PIL import Image


def test_it_begins_with_the_plate_and_ends_with_the_result() -> None:
    plates, results = ([np.full((36, 64, 3), value, np.uint8)] * 20 for value in (10, 200))
    frames = list(wiped(plates, results))
    assert len(frames) == 20
    assert (frames[0] == 10).all()
    assert all((frame == 200).all() for frame in frames[-8:])
    shares = [(frame == 200).mean() for frame in frames]
    assert shares == sorted(shares)
    assert 0 < shares[6] < 1


def test_the_command_is_written_below_and_the_style_lies_in_the_corner() -> None:
    frame = np.full((180, 320, 3), 90, np.uint8)
    picture = np.asarray(captioned(frame, SHOTS[2].told, Image.new("RGB", (88, 88), "red")))
    assert SHOTS[2].told == "vidstyle render ... --object person --invert --style nocturne.png"
    assert (picture[-26:] > 200).all(axis=2).any()
    assert (picture[20, 300] == (255, 0, 0)).all()
    assert (picture[60:150, :200] == 90).all()
