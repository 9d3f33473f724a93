"""How much a picture is about the content of a box: what moves relative to its background, near the
centre and in focus, rather than bystanders."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.media.frame import Box
from vidstyle.motion.estimator import FlowEstimator
from vidstyle.segment.clip import Image
from vidstyle.segment.tracking.affine import fit_affine, flow_between

_CORE = 0.6  # of a box's sides: more object than background in there
_BRISK = 0.02  # of its own size per frame: slightly below walking speed
_STILL = 0.2  # motion factor of something static, compared to brisk motion
_LEAST_AROUND = 0.1  # of a picture: less background does not show the camera's motion
_MIDDLE = 0.5  # of half the diagonal: the width of the central area
_BLURRED = 0.25  # of the picture's sharpness: anything in focus has more


def saliences(
    boxes: Sequence[Box], image: Image, other: Image | None, flow: FlowEstimator
) -> list[float]:
    """The salience of each box in a picture (H, W, 3), above 0 to 1: the product of its motion
    relative to the background, its centrality and its sharpness.

    Args:
        other: the picture after or before; None if there is none, and motion is ignored.
    """
    if not boxes:
        return []
    motion = _motions(boxes, image, other, flow)
    detail = np.abs(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_32F))
    return [
        moves * _centrality(box, image.shape[:2]) * _sharpness(box, np.asarray(detail, np.float32))
        for box, moves in zip(boxes, motion, strict=True)
    ]


def core(box: Box) -> Box:
    """The middle of a box."""
    across, down = round(box.width * (1 - _CORE) / 2), round(box.height * (1 - _CORE) / 2)
    return Box(box.x0 + across, box.y0 + down, box.x1 - across, box.y1 - down)


def _motions(
    boxes: Sequence[Box], image: Image, other: Image | None, flow: FlowEstimator
) -> list[float]:
    """From ``_STILL`` to 1, by how much the flow in each box differs from the camera's motion: the
    dominant motion outside all boxes."""
    alike = [1.0] * len(boxes)
    if other is None:
        return alike
    around = np.ones(image.shape[:2], np.bool_)
    for box in boxes:
        around[box.rows, box.columns] = False
    if around.mean() < _LEAST_AROUND:
        return alike
    there = flow_between(flow, image, other)
    camera = fit_affine(there, around, step=4)
    if camera is None:
        return alike
    motions = []
    for box in boxes:
        middle = core(box)
        gaps = camera.distance(there[middle.rows, middle.columns], middle.x0, middle.y0)
        beyond = max(0.0, float(np.median(gaps)) - 2 * camera.spread)
        share = min(1.0, beyond / math.sqrt(box.width * box.height) / _BRISK)
        motions.append(_STILL + (1 - _STILL) * share)
    return motions


def _centrality(box: Box, size: tuple[int, int]) -> float:
    height, width = size
    away = math.hypot((box.x0 + box.x1 - width) / 2, (box.y0 + box.y1 - height) / 2)
    return math.exp(-((away / (math.hypot(width, height) / 2) / _MIDDLE) ** 2) / 2)


def _sharpness(box: Box, detail: NDArray[np.float32]) -> float:
    """From the detail in the box relative to the picture's: 1 for as much or more."""
    middle = core(box)
    here = float(detail[middle.rows, middle.columns].mean())
    return math.sqrt(min(max(here / max(float(detail.mean()), 1e-3), _BLURRED), 1.0))
