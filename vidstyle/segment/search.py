"""Searching a shot for objects by name."""

import logging
from collections.abc import Callable, Sequence
from statistics import median

from vidstyle.media.frame import Box
from vidstyle.motion.dis import DisFlow
from vidstyle.segment.clip import Clip, Image, small_frames
from vidstyle.segment.detectors.detector import Detector
from vidstyle.segment.detectors.salience import core, saliences
from vidstyle.segment.tracking.colours import look
from vidstyle.segment.tracking.linking import Sighting, link
from vidstyle.segment.tracking.traits import Traits, colourfulness

logger = logging.getLogger(__name__)

SAMPLES = 40  # maximum frames of a shot that the detector is run on
SPACING = 4  # minimum frames from one to the next

_FAINT_SHARE = 0.5  # of the samples must show a low-confidence object,
_LEAST_FAINT = 3  # and at least this many
_FLOW_SIDE = 240  # pixels of the short side: only the motion of whole boxes matters


def search(
    clip: Clip,
    shot: tuple[int, int],
    detector: Detector,
    names: Sequence[str],
    faint: bool = False,
    on_frames: Callable[[int], None] = lambda _: None,
) -> list[Sighting]:
    """The objects in a shot (first frame, end), the most prominent first.

    Many frames are sampled, so that a bad one causes neither a missed object nor a false one.

    Args:
        faint: for ``names`` only, also accept low-confidence detections of an object that appears
            in at least half of the samples.
        on_frames: called with the number of frames newly searched.
    """
    detections, cores, salience = {}, {}, {}
    colourful = []
    flow = DisFlow(_FLOW_SIDE)
    for frame in looked_at(shot):
        image, beside = _with_neighbour(clip, shot, frame)
        found = detector.detect(image, names, faint)
        detections[frame] = [d for d in found if d.name in names] if faint else found
        boxes = [d.box for d in detections[frame]]
        cores[frame] = [_core(image, box) for box in boxes]
        colourful.append(colourfulness(image))
        salience[frame] = saliences(boxes, image, beside, flow)
        on_frames(1)
    traits = Traits(median(colourful))
    colours = {frame: [look(traits(each)) for each in cores[frame]] for frame in cores}
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
    """The midpoints of equal parts: a shot's first and last frames are often mid-dissolve."""
    start, stop = shot
    count = max(1, min(SAMPLES, (stop - start) // SPACING))
    if stop - start <= 2 * SPACING:
        count = min(2, stop - start)
    return [start + int((i + 0.5) * (stop - start) / count) for i in range(count)]


def _with_neighbour(clip: Clip, shot: tuple[int, int], frame: int) -> tuple[Image, Image | None]:
    """A frame and the one after it, or before it at the shot's end; None in a one-frame shot."""
    first = frame if frame + 1 < shot[1] else max(frame - 1, shot[0])
    pair = list(small_frames(clip, first, min(first + 2, shot[1])))
    image = pair.pop(frame - first)
    return image, pair[0] if pair else None


def _core(image: Image, box: Box) -> Image:
    """The picture in a box's centre."""
    middle = core(box)
    return image[middle.rows, middle.columns].copy()
