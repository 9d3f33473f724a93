"""The display matrix: how a player turns or mirrors the coded picture to show it upright."""

import struct

import av
import numpy as np

from vidstyle.media.video.colour import Pixels
from vidstyle.media.video.side_data import side_data

DisplayMatrix = tuple[int, int, int, int]
"""(a, b, c, d), each −1, 0 or 1: a coded pixel at (x, y) shows at (a·x + c·y, b·x + d·y),
y down, up to a shift (ISO/IEC 14496-12, track header)."""


def display_matrix(frame: av.VideoFrame) -> DisplayMatrix | None:
    """The matrix on a decoded frame; None if there is none, or it is not a right angle."""
    data = side_data(frame, "DISPLAYMATRIX")
    if data is None:
        return None
    # 3 × 3 numbers, 16.16 fixed point in the first two columns.
    entries = struct.unpack("=9i", data)
    a, b, c, d = (round(entries[i] / 65536) for i in (0, 1, 3, 4))
    if sorted((abs(a), abs(b))) != [0, 1] or (abs(c), abs(d)) != (abs(b), abs(a)):
        return None
    return a, b, c, d


def swaps_sides(matrix: DisplayMatrix) -> bool:
    """Whether width and height are swapped."""
    return matrix[0] == 0


def upright(pixels: Pixels, matrix: DisplayMatrix) -> Pixels:
    """The picture (H, W, 3) as it is shown; contiguous."""
    a, b, c, d = matrix
    if swaps_sides(matrix):
        pixels = pixels.transpose(1, 0, 2)
        a, d = c, b
    return np.ascontiguousarray(pixels[:: 1 if d > 0 else -1, :: 1 if a > 0 else -1])
