"""Nested boxes of the same name: a part and the whole, or a group and its members."""

from collections.abc import Sequence
from dataclasses import replace

from vidstyle.media.frame import Box
from vidstyle.segment.detectors.detector import Detection

_INSIDE = 0.8  # share of a box's area that makes it a part of another
_APART = 0.1  # share of the smaller of two boxes below which they are two objects


def merge_nested(detections: Sequence[Detection]) -> list[Detection]:
    """One detection for each object, best score first.

    A weak detector reports one object twice, as a part and as the whole: the whole is kept, with
    the better score. A box around two or more separate boxes with better scores is a group, and is
    dropped.
    """
    kept: list[Detection] = []
    for whole in sorted(detections, key=lambda d: -d.box.area):
        parts = [d for d in detections if d.name == whole.name and _is_part(d, whole)]
        clear = [d for d in parts if d.score > whole.score]
        if any(shared(a.box, b.box) < _APART for a in clear for b in clear if a is not b):
            continue
        if not any(_is_part(whole, other) and other.name == whole.name for other in kept):
            kept.append(replace(whole, score=max(d.score for d in (whole, *parts))))
    return sorted(kept, key=lambda d: -d.score)


def shared(a: Box, b: Box) -> float:
    """The area of two boxes' intersection, as a share of the smaller one's."""
    return (a & b).area / min(a.area, b.area)


def _is_part(part: Detection, whole: Detection) -> bool:
    smaller = part.box.area < whole.box.area
    return smaller and shared(part.box, whole.box) >= _INSIDE
