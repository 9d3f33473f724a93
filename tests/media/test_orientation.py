"""All eight ways to turn and mirror a picture."""

import itertools

import av
import numpy as np
import pytest

from vidstyle.media.video.orientation import swaps_sides, upright
from vidstyle.media.video.reader import open_clip

TURNS = [
    (a, b, c, d)
    for a, b, c, d in itertools.product((-1, 0, 1), repeat=4)
    if abs(a * d - b * c) == 1 and abs(a) + abs(b) == 1 and abs(c) + abs(d) == 1
]


def _placed(picture: np.ndarray, matrix: tuple[int, int, int, int]) -> np.ndarray:
    """Each pixel put where the matrix says, one by one."""
    a, b, c, d = matrix
    height, width = picture.shape[:2]
    spots = {
        (a * x + c * y, b * x + d * y): picture[y, x] for y in range(height) for x in range(width)
    }
    columns, rows = sorted({x for x, _ in spots}), sorted({y for _, y in spots})
    return np.array([[spots[x, y] for x in columns] for y in rows])


@pytest.mark.parametrize("matrix", TURNS)
def test_pixels_go_where_the_matrix_says(matrix):
    picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    shown = upright(picture, matrix)
    assert np.array_equal(shown, _placed(picture, matrix))
    assert shown.flags.c_contiguous
    assert (shown.shape[:2] == (6, 4)) is swaps_sides(matrix)


@pytest.mark.parametrize("matrix", TURNS)
def test_files_are_shown_by_their_matrix(tmp_path, matrix):
    a, b, c, d = matrix
    path = str(tmp_path / "turned.mov")
    gradient = np.zeros((32, 64, 3), np.uint8)
    gradient[..., 0] = np.arange(0, 128, 2)
    gradient[..., 1] = np.arange(0, 192, 6)[:, None]
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25, width=64, height=32)
        stream.pix_fmt = "yuv444p"
        one = 1 << 16
        stream.set_display_matrix((a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30))
        container.mux(stream.encode(av.VideoFrame.from_ndarray(gradient)))
        container.mux(stream.encode(None))
    reader = open_clip(path)
    (frame,) = reader.frames()
    expected = _placed(gradient, matrix)
    assert reader.info.size == expected.shape[:2]
    assert np.abs(frame.image.numpy().astype(int) - expected).mean() < 4
