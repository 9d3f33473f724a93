"""GrabCut (Rother et al. 2004) via OpenCV: a segmenter that needs no weights."""

import logging
from collections.abc import Sequence
from functools import reduce
from operator import or_

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.media.frame import Box
from vidstyle.segment.clip import Image, resized
from vidstyle.segment.mattes.store import Matte, bounding_box
from vidstyle.segment.segmenters.grouping import grouped

logger = logging.getLogger(__name__)

_PIXELS = 250_000  # GrabCut's run time grows with the area; the tracker refines edges.
_ITERATIONS = 3  # More do not improve the mean score of bench_segment.py.
_MIDDLE = 0.2  # Share of a box's width and height.
_LEAST = 0.08  # A result that fills less of its prompt has lost the object.

Trimap = NDArray[np.uint8]  # of OpenCV's GC_BGD, GC_FGD, GC_PR_BGD, GC_PR_FGD


class GrabCut:
    """A ``Segmenter`` that works only on the neighbourhood of the prompts, for a local background
    colour model, and at a bounded size."""

    name = "grabcut"
    renews = False

    def segment(
        self,
        image: Image,
        boxes: Sequence[Box] = (),
        points: Sequence[tuple[int, int]] = (),
        hint: Matte | None = None,
        outside: Sequence[tuple[int, int]] = (),
    ) -> Matte:
        """See ``Segmenter``. Each box is cut with the points inside it, the remaining points
        together; the union is returned."""
        if not boxes and not points and hint is None:
            raise ValueError("no prompt is given")
        groups = grouped(boxes, points)
        if len(groups) > 1 and hint is None:
            each = [self.segment(image, [b] if b else [], p, outside=outside) for b, p in groups]
            return reduce(np.maximum, each)
        frame = Box(0, 0, image.shape[1], image.shape[0])
        around = _surroundings(frame, boxes, hint)
        scale = min(1.0, (_PIXELS / (around.width * around.height)) ** 0.5)
        size = (max(1, round(around.width * scale)), max(1, round(around.height * scale)))
        crop = resized(image[around.rows, around.columns], size[::-1])

        def placed(pixels: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
            return [
                (
                    min(int((x - around.x0) * scale), size[0] - 1),
                    min(int((y - around.y0) * scale), size[1] - 1),
                )
                for x, y in pixels
                if around.x0 <= x < around.x1 and around.y0 <= y < around.y1
            ]

        seeds, others = placed(points), placed(outside)
        prior = np.zeros(image.shape[:2], np.uint8)
        for box in boxes:
            prior[box.rows, box.columns] = 255
        if hint is not None:
            prior = np.maximum(prior, hint)
        prior = resized(prior[around.rows, around.columns], crop.shape[:2])
        trimap = _trimap(crop, prior, seeds, sure=hint is not None)
        for other in others:
            # Similar colours around the point are not the object either.
            trimap[_grown(crop, [other]) > 0] = cv2.GC_BGD
            cv2.circle(trimap, other, _radius(prior), cv2.GC_BGD, cv2.FILLED)
        for seed in seeds:
            cv2.circle(trimap, seed, _radius(prior), cv2.GC_FGD, cv2.FILLED)
        inside = _cut(crop, trimap, seeds)
        matte = np.zeros(image.shape[:2], np.uint8)
        matte[around.rows, around.columns] = resized(inside, (around.height, around.width))
        return matte


def _surroundings(frame: Box, boxes: Sequence[Box], hint: Matte | None) -> Box:
    """The prompts' common box, grown by half its size on each side; the whole frame for points."""
    held = [*boxes]
    if hint is not None and (box := bounding_box(hint)):
        held.append(box)
    if not held:
        return frame
    union = reduce(or_, held)
    margin = max(8, max(union.width, union.height) // 2)
    return union.padded(margin, 1, (frame.height, frame.width))


def _trimap(crop: Image, prior: Matte, seeds: Sequence[tuple[int, int]], sure: bool) -> Trimap:
    """GrabCut's label for each pixel, from the prompts. With ``sure`` the prior is a rough matte,
    otherwise boxes that contain background too."""
    trimap = np.full(prior.shape, cv2.GC_BGD, np.uint8)
    if prior.any():
        inside = (prior > 127).astype(np.uint8)
        if sure:
            disc = _disc(2 * _radius(prior))
            trimap[cv2.dilate(inside, disc) > 0] = cv2.GC_PR_BGD
            trimap[inside > 0] = cv2.GC_PR_FGD
            trimap[cv2.erode(inside, disc) > 0] = cv2.GC_FGD
        else:
            # A box's corners seldom belong to the object; its centre nearly always does.
            count, labels = cv2.connectedComponents(inside)
            for box in (labels == label for label in range(1, count)):
                trimap[box] = cv2.GC_PR_BGD
                trimap[_ellipse(box, 1.0)] = cv2.GC_PR_FGD
                trimap[_ellipse(box, _MIDDLE)] = cv2.GC_FGD
    else:
        trimap[:] = cv2.GC_PR_BGD
        trimap[_grown(crop, seeds) > 0] = cv2.GC_PR_FGD
    return trimap


def _radius(prior: NDArray[np.uint8]) -> int:
    """The radius in pixels around a point that is as certain as the point itself."""
    return max(2, round(0.02 * float(min(prior.shape))))


def _grown(crop: Image, seeds: Sequence[tuple[int, int]]) -> NDArray[np.uint8]:
    """The region of similar colour around the seeds, at the widest tolerance that floods no more
    than a quarter of the picture."""
    smooth = cv2.cvtColor(cv2.medianBlur(crop, 7), cv2.COLOR_RGB2Lab)
    region = np.zeros(crop.shape[:2], np.uint8)
    for tolerance in range(2, 40, 3):
        flooded = np.zeros((crop.shape[0] + 2, crop.shape[1] + 2), np.uint8)
        flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | (1 << 8)
        for seed in seeds:
            cv2.floodFill(smooth, flooded, seed, 0, (tolerance,) * 3, (tolerance,) * 3, flags)
        if flooded.mean() > 0.25:
            break
        region = flooded[1:-1, 1:-1]
    return region


def _cut(crop: Image, trimap: Trimap, seeds: Sequence[tuple[int, int]]) -> Matte:
    """Run GrabCut; if the colours do not separate object from background, retry with the object's
    centre fixed as foreground, and if that fails too, fall back to the prompt's shape."""
    possible = (trimap == cv2.GC_PR_FGD) | (trimap == cv2.GC_FGD)
    if (trimap == cv2.GC_BGD).any() or (trimap == cv2.GC_PR_BGD).any():
        for held in (None, _ellipse(possible, 0.5)):
            if held is not None:
                trimap = np.where(possible & held, np.uint8(cv2.GC_FGD), trimap)
            inside = _grabcut(crop, trimap.copy())
            if seeds:
                inside = _components_with(inside, seeds)
            if inside.sum() >= _LEAST * possible.sum():
                return np.where(inside, np.uint8(255), np.uint8(0))
        logger.warning("GrabCut cannot tell the object's colours from its surroundings'")
        possible &= _ellipse(possible, 1.0)
    return np.where(possible, np.uint8(255), np.uint8(0))


def _grabcut(crop: Image, trimap: Trimap) -> NDArray[np.uint8]:
    """1 where GrabCut finds the object; all 0 if either class has too few pixels."""
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    # Its clustering uses OpenCV's random generator; the same prompt must give the same matte.
    cv2.setRNGSeed(0)
    try:
        cv2.grabCut(
            crop, trimap, (0, 0, 1, 1), background, foreground, _ITERATIONS, cv2.GC_INIT_WITH_MASK
        )
    except cv2.error:
        return np.zeros_like(trimap)
    return trimap & np.uint8(1)  # GC_FGD and GC_PR_FGD are the odd ones


def _components_with(
    inside: NDArray[np.uint8], seeds: Sequence[tuple[int, int]]
) -> NDArray[np.uint8]:
    """Only the connected components that contain a seed."""
    _, labels = cv2.connectedComponents(inside)
    held = {int(labels[y, x]) for x, y in seeds} - {0}
    return np.isin(labels, list(held)).astype(np.uint8)


def _ellipse(region: NDArray[np.bool_], part: float) -> NDArray[np.bool_]:
    """The ellipse inscribed in the region's bounding box, its axes scaled by ``part``."""
    x, y, width, height = cv2.boundingRect(region.astype(np.uint8))
    drawn = np.zeros(region.shape, np.uint8)
    axes = (max(1, round(width * part / 2)), max(1, round(height * part / 2)))
    cv2.ellipse(drawn, (x + width // 2, y + height // 2), axes, 0, 0, 360, 1, cv2.FILLED)
    return drawn > 0


def _disc(radius: int) -> NDArray[np.uint8]:
    size = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
