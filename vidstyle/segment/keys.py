"""From prompts to key mattes: the frames of a shot in which the object is segmented afresh."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from vidstyle.errors import ObjectNotFoundError
from vidstyle.frame import Box
from vidstyle.segment.clip import Clip, Image, resized, small_frames, working_size
from vidstyle.segment.coco import coco_name
from vidstyle.segment.detect import Detector
from vidstyle.segment.linking import Sighting, link
from vidstyle.segment.mattes import Matte, read_matte
from vidstyle.segment.prompts import (
    BoxPrompt,
    EverythingPrompt,
    FramePrompt,
    MaskPrompt,
    NamePrompt,
    ObjectSpec,
    PointPrompt,
)
from vidstyle.segment.segmenter import Segmenter

logger = logging.getLogger(__name__)

SAMPLES = 10  # frames of a shot that the detector looks at


@dataclass
class KeyMattes:
    """What one thing's tracking starts from.

    Attributes:
        small: matte at the working size of each key frame.
        given: matte at the clip's size of each key frame that a mask was given for; the result
            holds it unchanged.
    """

    small: dict[int, Matte] = field(default_factory=dict)
    given: dict[int, Matte] = field(default_factory=dict)


def find_keys(
    spec: ObjectSpec,
    clip: Clip,
    shot: tuple[int, int],
    segmenter: Segmenter,
    detector: Detector | None,
) -> list[KeyMattes]:
    """The things that ``spec`` means in ``shot`` (first frame, end), each to be tracked by itself:
    one for all its boxes, points and masks, and one for each object found by name.

    Raises:
        ObjectNotFoundError: an object name that the detector does not know, or an empty mask.
        MediaError: a mask that cannot be read, or of another size than the clip.
    """
    found = []
    pointed = [p for p in spec.frame_prompts if shot[0] <= p.frame < shot[1]]
    if pointed:
        found.append(_pointed(pointed, clip, segmenter))
    if spec.names and detector is not None:
        sightings = _search(clip, shot, detector)
        for prompt in spec.names:
            for sighting in _chosen(prompt, sightings):
                found.append(_seen(sighting, clip, segmenter))
    return [keys for keys in found if keys.small]


def _pointed(prompts: Sequence[FramePrompt], clip: Clip, segmenter: Segmenter) -> KeyMattes:
    """All prompts of one frame answer together."""
    keys = KeyMattes()
    small = working_size(clip.size)
    for frame in sorted({p.frame for p in prompts}):
        here = [p for p in prompts if p.frame == frame]
        boxes = [_scaled(p.box, clip.size, small) for p in here if isinstance(p, BoxPrompt)]
        points = [_scaled_point(p, clip.size, small) for p in here if isinstance(p, PointPrompt)]
        matte = np.zeros(small, np.uint8)
        if boxes or points:
            matte = segmenter.segment(_picture(clip, frame), boxes, points)
        for mask in (p for p in here if isinstance(p, MaskPrompt)):
            given = _read_mask(mask, clip.size)
            keys.given[frame] = np.maximum(given, keys.given.get(frame, 0))
            matte = np.maximum(matte, resized(given, small))
        _keep(keys, frame, matte)
    return keys


def _seen(sighting: Sighting, clip: Clip, segmenter: Segmenter) -> KeyMattes:
    """Segment a found object where it was seen best."""
    keys = KeyMattes()
    frame, detection = sighting.best
    _keep(keys, frame, segmenter.segment(_picture(clip, frame), [detection.box]))
    return keys


def _keep(keys: KeyMattes, frame: int, matte: Matte) -> None:
    if (matte > 127).any():
        keys.small[frame] = matte
    else:
        logger.warning("frame %d: the segmenter finds nothing at the prompt", frame)


def _search(clip: Clip, shot: tuple[int, int], detector: Detector) -> list[Sighting]:
    """Detect in frames spread through the shot, and link."""
    start, stop = shot
    count = min(SAMPLES, stop - start)
    # The middles of equal parts: a shot's first and last frames are often mid-dissolve.
    samples = [start + int((i + 0.5) * (stop - start) / count) for i in range(count)]
    sightings = link({frame: detector.detect(_picture(clip, frame)) for frame in samples})
    for sighting in sightings:
        logger.info(
            "frames %d-%d: %s in %d of %d samples, total score %.2f",
            start, stop - 1, sighting.name, len(sighting.seen), count, sighting.total,
        )  # fmt: skip
    return sightings


def _chosen(prompt: NamePrompt | EverythingPrompt, sightings: Sequence[Sighting]) -> list[Sighting]:
    if isinstance(prompt, EverythingPrompt):
        return list(sightings)
    name = coco_name(prompt.name)
    named = [s for s in sightings if s.name == name]
    return named[prompt.instance - 1 : prompt.instance]


def _picture(clip: Clip, frame: int) -> Image:
    return next(iter(small_frames(clip, frame, frame + 1)))


def _read_mask(prompt: MaskPrompt, size: tuple[int, int]) -> Matte:
    mask = read_matte(prompt.path, size)
    brightest = int(mask.max())
    if not brightest:
        raise ObjectNotFoundError(f"{prompt.path}: the mask is empty; paint the object white")
    # A label map of 0 and 1 is as good as black and white.
    return np.asarray(cv2.convertScaleAbs(mask, alpha=255 / brightest), np.uint8)


def _scaled(box: Box, size: tuple[int, int], small: tuple[int, int]) -> Box:
    down, across = small[0] / size[0], small[1] / size[1]
    x0, y0 = int(box.x0 * across), int(box.y0 * down)
    return Box(x0, y0, max(x0 + 1, round(box.x1 * across)), max(y0 + 1, round(box.y1 * down)))


def _scaled_point(
    point: PointPrompt, size: tuple[int, int], small: tuple[int, int]
) -> tuple[int, int]:
    return int(point.x * small[1] / size[1]), int(point.y * small[0] / size[0])
