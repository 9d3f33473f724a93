"""Searching a shot for objects by name."""

import logging
from collections.abc import Sequence

import cv2
import numpy as np

from vidstyle.frame import Box
from vidstyle.segment.clip import Clip, Image, small_frames
from vidstyle.segment.detect import Detector
from vidstyle.segment.linking import Colours, Sighting, link

logger = logging.getLogger(__name__)

SAMPLES = 40  # frames of a shot that the detector looks at, at most
SPACING = 4  # frames from one to the next, at least

_BINS = 8  # of each colour channel
_CORE = 0.6  # of a box's sides: what lies there is rather object than background


def search(
    clip: Clip, shot: tuple[int, int], detector: Detector, names: Sequence[str]
) -> list[Sighting]:
    """The objects in a shot (first frame, end), the most prominent first.

    Many frames are looked at, so that a bad one neither loses nor invents an object.
    """
    detections, colours = {}, {}
    for frame in sampled(shot):
        image = next(iter(small_frames(clip, frame, frame + 1)))
        detections[frame] = detector.detect(image, names)
        colours[frame] = [_colours(image, d.box) for d in detections[frame]]
    sightings = link(detections, colours)
    for sighting in sightings:
        logger.info(
            "%s found between frames %d and %d", sighting.name, min(sighting.seen),
            max(sighting.seen),
        )  # fmt: skip
        logger.debug(
            "%s: in %d of %d samples, total score %.2f",
            sighting.name, len(sighting.seen), len(detections), sighting.total,
        )  # fmt: skip
    return sightings


def sampled(shot: tuple[int, int]) -> list[int]:
    """The middles of equal parts: a shot's first and last frames are often mid-dissolve."""
    start, stop = shot
    count = max(1, min(SAMPLES, (stop - start) // SPACING))
    if stop - start <= 2 * SPACING:
        count = min(2, stop - start)
    return [start + int((i + 0.5) * (stop - start) / count) for i in range(count)]


def _colours(image: Image, box: Box) -> Colours:
    """The histogram of a box's middle."""
    across, down = round(box.width * (1 - _CORE) / 2), round(box.height * (1 - _CORE) / 2)
    core = image[box.y0 + down : box.y1 - down, box.x0 + across : box.x1 - across]
    lab = np.ascontiguousarray(cv2.cvtColor(core, cv2.COLOR_RGB2LAB))
    counts = cv2.calcHist([lab], [0, 1, 2], None, [_BINS] * 3, [0, 256] * 3)
    return np.asarray(counts.ravel() / max(float(counts.sum()), 1.0), np.float32)
