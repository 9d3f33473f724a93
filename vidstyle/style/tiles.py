"""Cutting a large picture into tiles that are restyled on their own, with the same result.

Statistics are frozen, so a place's result depends on what the network sees around it and on
nothing else. A tile is therefore cut out with a halo, as wide as the network's reach, that is
thrown away again.
"""

import math
from itertools import pairwise, product

from vidstyle.media.frame import Box
from vidstyle.style.network import GRID

#: Most tiles along a side.
MOST = 64


def tiles(size: tuple[int, int], pixels: int, halo: int) -> list[Box]:
    """Boxes that cover a picture once, aligned to ``GRID``.

    Args:
        size: (H, W) of the picture.
        pixels: what a tile and its halo may have. Of all grids of tiles that keep to it the one
            with the fewest pixels, halos counted, is taken; where none does, the finest.
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
    """What the network must see for a tile."""
    return tile.padded(halo, GRID, size)


def _seen(length: int, halo: int) -> list[list[range]]:
    """For every number of tiles along a side, what each sees."""
    counts = range(1, min(MOST, math.ceil(length / GRID)) + 1)
    return [
        [range(max(0, start - halo), min(length, stop + halo)) for start, stop in cuts(length, n)]
        for n in counts
    ]


def cuts(length: int, count: int) -> list[tuple[int, int]]:
    """A side in equal parts, to whole steps of the grid."""
    steps = math.ceil(length / GRID)
    edges = [min(length, index * steps // count * GRID) for index in range(count + 1)]
    return list(pairwise(edges))
