"""Searching a shot for objects by name."""

import logging
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from vidstyle.media.frame import Box
from vidstyle.motion.dis import DisFlow
from vidstyle.segment.clip import Clip, Image, small_frames
from vidstyle.segment.detectors.detector import Detector
from vidstyle.segment.detectors.salience import core, saliences
from vidstyle.segment.tracking.linking import Colours, Sighting, link

logger = logging.getLogger(__name__)

SAMPLES = 40  # frames of a shot that the detector looks at, at most
SPACING = 4  # frames from one to the next, at least

_FAINT_SHARE = 0.5  # of the samples that must show what is seen faintly,
_LEAST_FAINT = 3  # and so many at least
_FLOW_SIDE = 240  # pixels of the short side: only whole boxes' motion counts
_BINS = 8  # of each colour channel


def search(
    clip: Clip,
    shot: tuple[int, int],
    detector: Detector,
    names: Sequence[str],
    faint: bool = False,
    on_frames: Callable[[int], None] = lambda _: None,
) -> list[Sighting]:
    """The objects in a shot (first frame, end), the most prominent first.

    Many frames are looked at, so that a bad one neither loses nor invents an object.

    Args:
        faint: of the names alone, take also what the detector hardly believes in any frame, if
            it sees it in most.
        on_frames: called with how many more frames were looked at.
    """
    detections, colours, salience = {}, {}, {}
    flow = DisFlow(_FLOW_SIDE)
    for frame in looked_at(shot):
        image, beside = _with_neighbour(clip, shot, frame)
        found = detector.detect(image, names, faint)
        detections[frame] = [d for d in found if d.name in names] if faint else found
        boxes = [d.box for d in detections[frame]]
        colours[frame] = [_colours(image, box) for box in boxes]
        salience[frame] = saliences(boxes, image, beside, flow)
        on_frames(1)
    sightings = link(detections, colours, salience)
    if faint:
        least = max(_LEAST_FAINT, _FAINT_SHARE * len(detections))
        sightings = [sighting for sighting in sightings if len(sighting.seen) >= least]
    for name in dict.fromkeys(sighting.name for sighting in sightings):
        alike = [sighting for sighting in sightings if sighting.name == name]
        frames = [frame for sighting in alike for frame in sighting.seen]
        logger.info(
            "found: %d × %s between frames %d and %d", len(alike), name, min(frames), max(frames)
        )
    for sighting in sightings:
        logger.debug(
            "%s: in %d of %d samples, total score %.2f",
            sighting.name, len(sighting.seen), len(detections), sighting.total,
        )  # fmt: skip
    return sightings


def looked_at(shot: tuple[int, int]) -> list[int]:
    """The middles of equal parts: a shot's first and last frames are often mid-dissolve."""
    start, stop = shot
    count = max(1, min(SAMPLES, (stop - start) // SPACING))
    if stop - start <= 2 * SPACING:
        count = min(2, stop - start)
    return [start + int((i + 0.5) * (stop - start) / count) for i in range(count)]


def _with_neighbour(clip: Clip, shot: tuple[int, int], frame: int) -> tuple[Image, Image | None]:
    """A frame and the one after it; at the shot's end, the one before; None in a shot of one."""
    first = frame if frame + 1 < shot[1] else max(frame - 1, shot[0])
    pair = list(small_frames(clip, first, min(first + 2, shot[1])))
    image = pair.pop(frame - first)
    return image, pair[0] if pair else None


def _colours(image: Image, box: Box) -> Colours:
    """The histogram of a box's middle."""
    middle = core(box)
    lab = np.ascontiguousarray(cv2.cvtColor(image[middle.rows, middle.columns], cv2.COLOR_RGB2LAB))
    counts = cv2.calcHist([lab], [0, 1, 2], None, [_BINS] * 3, [0, 256] * 3)
    return np.asarray(counts.ravel() / max(float(counts.sum()), 1.0), np.float32)
