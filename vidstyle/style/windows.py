"""Windows that statistics are gathered from, spread evenly over large pictures.

A downscaled copy would do for colours, but not for texture and sharpness, whose statistics depend
on scale.
"""

from collections.abc import Iterator
from functools import cache
from itertools import count

from torch import Tensor

from vidstyle.media.frame import Box
from vidstyle.style.model import Sample
from vidstyle.style.network import GRID
from vidstyle.style.tiles import cuts

#: Side of a window, and width of the rim that it shares with its neighbours, in pixels.
SIDE, RIM = 224, 16

#: Approximate number of windows over all the pictures of a shot.
WINDOWS = 48

#: The fractional parts of their multiples fill a square evenly, for any number of them (Roberts
#: 2018, the sequence R2: powers of the plastic number's inverse).
_ACROSS, _DOWN = 0.7548776662466927, 0.5698402909980532


def windows(matte: Tensor, number: int = 0, of: int = 1) -> list[Box]:
    """Some cells of a regular grid, aligned to ``GRID``, that contain part of the object.

    Args:
        matte: (1, 1, H, W) in [0, 1], of the object.
        number, of: index of the picture and number of pictures. Each takes its share of the
            windows, continuing where the previous one stopped.
    """
    height, width = size = (matte.shape[-2], matte.shape[-1])
    rows, columns = (cuts(side, max(1, round(side / SIDE))) for side in size)
    share = max(1, WINDOWS // of)
    if len(rows) * len(columns) <= share:
        return [Box(0, 0, width, height)]
    places = [(rows[row], columns[column]) for row, column in _in_turn(len(rows), len(columns))]
    cells = [Box(x0, y0, x1, y1) for (y0, y1), (x0, x1) in places]
    held = [cell for cell in cells if matte[..., cell.rows, cell.columns].any()]
    taken = range(number * share, number * share + min(share, len(held)))
    return [held[turn % len(held)] for turn in taken]


def seen_through(picture: Tensor, matte: Tensor, number: int = 0, of: int = 1) -> Iterator[Sample]:
    """The object in windows; the whole picture if they would cover it.

    Args:
        picture: (1, 3, H, W) in [0, 1].
        matte, number, of: see :func:`windows`.
    """
    size = (picture.shape[-2], picture.shape[-1])
    for window in windows(matte, number, of):
        seen = window.padded(RIM, GRID, size)
        # Copies, since samples are kept and views would keep every whole picture alive.
        yield (
            picture[..., seen.rows, seen.columns].clone(),
            matte[..., seen.rows, seen.columns].clone(),
        )


@cache
def _in_turn(rows: int, columns: int) -> list[tuple[int, int]]:
    """All (row, column) cells of a grid, ordered so that any run of them is spread evenly."""
    visited: dict[tuple[int, int], None] = {}
    for turn in count():
        if len(visited) == rows * columns:
            break
        visited[int(turn * _DOWN % 1 * rows), int(turn * _ACROSS % 1 * columns)] = None
    return list(visited)
