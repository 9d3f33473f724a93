"""Split a large picture into tiles that are restyled independently, with the same result.

Statistics are frozen, so a pixel's result depends only on its surroundings within the network's
reach. A tile is therefore cut out with a halo of that width, which is discarded afterwards.
"""

import math
from itertools import pairwise, product

from vidstyle.media.frame import Box
from vidstyle.style.network import GRID

#: Maximum number of tiles along a side.
MOST = 64


def tiles(size: tuple[int, int], pixels: int, halo: int) -> list[Box]:
    """Boxes that cover a picture once, aligned to ``GRID``.

    Args:
        size: (H, W) of the picture.
        pixels: limit for a tile and its halo. Of all grids of tiles within the limit, the one with
            the fewest pixels, halos included, is used; if there is none, the finest.
        halo: pixels around a tile that the network must see.
    """
    height, width = size
    if height * width <= pixels:
        return [Box(0, 0, width, height)]
    grids = [
        (sum(map(len, rows)) * sum(map(len, columns)), rows, columns)
        for rows, columns in product(_seen(height, halo), _seen(width, halo))
        if max(map(len, rows)) * max(map(len, columns)) <= pixels
    ]
    if grids:
        _, rows, columns = min(grids, key=lambda grid: grid[0])
    else:
        rows, columns = _seen(height, halo)[-1], _seen(width, halo)[-1]
    return [
        Box(x0, y0, x1, y1)
        for (y0, y1), (x0, x1) in product(cuts(height, len(rows)), cuts(width, len(columns)))
    ]


def with_halo(tile: Box, size: tuple[int, int], halo: int) -> Box:
    """The box that the network must see for a tile."""
    return tile.padded(halo, GRID, size)


def _seen(length: int, halo: int) -> list[list[range]]:
    """For every number of tiles along a side, the range that each tile sees."""
    counts = range(1, min(MOST, math.ceil(length / GRID)) + 1)
    return [
        [range(max(0, start - halo), min(length, stop + halo)) for start, stop in cuts(length, n)]
        for n in counts
    ]


def cuts(length: int, count: int) -> list[tuple[int, int]]:
    """A side in equal parts, rounded to the grid."""
    steps = math.ceil(length / GRID)
    edges = [min(length, index * steps // count * GRID) for index in range(count + 1)]
    return list(pairwise(edges))
