"""Which points belong to which box: each box is an object, or a part of one, of its own."""

from collections.abc import Sequence

from vidstyle.media.frame import Box

Point = tuple[int, int]


def grouped(boxes: Sequence[Box], points: Sequence[Point]) -> list[tuple[Box | None, list[Point]]]:
    """Each box with the points (x, y) inside it; last, without a box, the points in none."""
    groups: list[tuple[Box | None, list[Point]]] = [
        (box, [p for p in points if box.x0 <= p[0] < box.x1 and box.y0 <= p[1] < box.y1])
        for box in boxes
    ]
    held = {point for _, inside in groups for point in inside}
    free = [point for point in points if point not in held]
    return [*groups, (None, free)] if free else groups
