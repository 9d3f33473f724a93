"""From prompts to key mattes: the frames of a shot in which the object is segmented anew."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from vidstyle.errors import ObjectNotFoundError
from vidstyle.media.frame import Box
from vidstyle.segment.clip import Clip, Image, resized, small_frames, working_size
from vidstyle.segment.detectors.detector import Detection, Detector
from vidstyle.segment.mattes.matte_picture import read_matte
from vidstyle.segment.mattes.store import Matte
from vidstyle.segment.prompts import (
    BoxPrompt,
    EverythingPrompt,
    FramePrompt,
    MaskPrompt,
    NamePrompt,
    ObjectSpec,
    PointPrompt,
    says_outside,
)
from vidstyle.segment.search import search
from vidstyle.segment.segmenters.segmenter import Segmenter
from vidstyle.segment.segmenters.voting import PeopleVote
from vidstyle.segment.tracking.clean_plate import CleanPlate, hidden_by
from vidstyle.segment.tracking.linking import Sighting

logger = logging.getLogger(__name__)

KEYS = 8  # key mattes of an object that was found by name
PLATES = 12  # frames that the clean plate is built from


@dataclass(frozen=True)
class Correction:
    """What is not the thing in one frame, at the working size: points (x, y) and boxes."""

    points: Sequence[tuple[int, int]] = ()
    boxes: Sequence[Box] = ()

    def applied(self, segmenter: Segmenter, image: Image, matte: Matte) -> Matte:
        """A matte (H, W) of the thing, segmented again in its picture with all this excluded."""
        if self.points and (matte > 127).any():
            matte = segmenter.segment(image, hint=matte, outside=self.points)
        return self.without_boxes(matte)

    def without_boxes(self, matte: Matte) -> Matte:
        """A matte (H, W), cleared inside the boxes."""
        matte = matte.copy()
        for box in self.boxes:
            matte[box.rows, box.columns] = 0
        return matte


@dataclass
class KeyMattes:
    """What one thing's tracking starts from.

    Attributes:
        small: matte of each key frame, at the working size.
        given: matte, at the clip's size, of each key frame that has masks as its only prompts;
            used as it is in the result.
        images: picture, at the working size, of each key frame used to learn the appearance.
        plate: the shot without the thing; None if it could not be built.
        sighting: where a detector saw the thing.
        corrections: to the tracked matte, by frame.
        by_hand: key frames that the user drew, pointed at or corrected.
        boxed: the user gave boxes and nothing else.
    """

    small: dict[int, Matte] = field(default_factory=dict)
    given: dict[int, Matte] = field(default_factory=dict)
    images: dict[int, Image] = field(default_factory=dict)
    plate: CleanPlate | None = None
    sighting: Sighting | None = None
    corrections: dict[int, Correction] = field(default_factory=dict)
    by_hand: set[int] = field(default_factory=set)
    boxed: bool = False

    def suited(self, segmenter: Segmenter) -> Segmenter:
        """A segmenter, told what the thing is. What the user drew, pointed at or excluded may be
        more or less than a person, so nothing but that may decide."""
        if not isinstance(segmenter, PeopleVote):
            return segmenter
        if self.corrections or (self.by_hand and not self.boxed):
            return segmenter.alone
        return segmenter if self.sighting is None else segmenter.knowing(self.sighting.name)

    @property
    def certain(self) -> bool:
        """Whether the user pointed at the thing, so that its key mattes are never doubted."""
        return self.sighting is None

    @property
    def known(self) -> list[tuple[Image, Matte]]:
        """Pictures to learn the thing's appearance from, with its mattes, in frame order."""
        return [(image, self.small[frame]) for frame, image in sorted(self.images.items())]

    def keep(self, frame: int, image: Image, matte: Matte) -> None:
        """Add a key matte, unless it is empty."""
        if (matte > 127).any():
            self.small[frame], self.images[frame] = matte, image
        else:
            logger.warning("frame %d: the segmenter finds nothing at the prompt", frame)

    def correct(self, hand: "KeyMattes") -> None:
        """Adopt the user's masks of the same thing as key mattes, and the corrections."""
        self.small |= hand.small
        self.images |= hand.images
        self.given |= hand.given
        self.corrections |= hand.corrections
        self.by_hand |= hand.by_hand


def find_keys(
    spec: ObjectSpec,
    clip: Clip,
    shot: tuple[int, int],
    segmenter: Segmenter,
    detector: Detector | None,
    faint: bool = False,
    go_on: Callable[[], None] = lambda: None,
) -> list[KeyMattes]:
    """The things that ``spec`` refers to in ``shot`` (first frame, end), each tracked separately:
    one for all its boxes, points and masks, and one for each object found by name. Masks joined to
    the name of a single object correct that object; exclusions correct all of them.

    Args:
        faint: accept low-confidence detections for names; see ``search``.
        go_on: called for every frame that is searched or segmented; it may raise.

    Raises:
        ObjectNotFoundError: the detector does not know a name, or a mask is empty.
        MediaError: a mask cannot be read, or its size differs from the clip's.
    """
    found = []
    if spec.names and detector is not None:
        names = [detector.name_of(p.name) for p in spec.names if isinstance(p, NamePrompt)]
        sightings = search(clip, shot, detector, names, faint, lambda _: go_on())
        chosen = {prompt: _chosen(prompt, sightings, detector) for prompt in spec.names}
        for prompt, things in chosen.items():
            if isinstance(prompt, NamePrompt):
                _tell(prompt, things, sightings, clip, shot)
        wanted = [sighting for things in chosen.values() for sighting in things]
        for sighting in wanted:
            # Including the bicycle does no harm where both rider and bicycle are wanted.
            strangers = [
                other
                for other in sightings
                if other is not sighting and (other.name == sighting.name or other not in wanted)
            ]
            found.append(_seen(sighting, strangers, clip, segmenter, go_on))
    pointed = [p for p in spec.frame_prompts if shot[0] <= p.frame < shot[1]]
    if pointed:
        keys = _pointed(pointed, clip, segmenter)
        if len(found) == 1 and keys.small.keys() == keys.given.keys():
            found[0].correct(keys)
        else:
            for named in found:
                named.corrections |= keys.corrections
            found.append(keys)
    return [keys for keys in found if keys.small]


def _pointed(prompts: Sequence[FramePrompt], clip: Clip, segmenter: Segmenter) -> KeyMattes:
    """The prompts of one frame are resolved together. In a frame with nothing but exclusions, they
    are applied to the matte tracked there later."""
    keys = KeyMattes(boxed=all(isinstance(p, BoxPrompt) for p in prompts))
    small = working_size(clip.size)
    for frame in sorted({p.frame for p in prompts}):
        asked = [p for p in prompts if p.frame == frame]
        here = [p for p in asked if not says_outside(p)]
        correction = _correction(asked, clip.size)
        if not here:
            keys.corrections[frame] = correction
            continue
        boxes = [_scaled(p.box, clip.size, small) for p in here if isinstance(p, BoxPrompt)]
        points = [_scaled_point(p, clip.size, small) for p in here if isinstance(p, PointPrompt)]
        matte, image = np.zeros(small, np.uint8), picture(clip, frame)
        if boxes or points:
            matte = segmenter.segment(image, boxes, points, outside=correction.points)
        masks = [_read_mask(p, clip.size) for p in here if isinstance(p, MaskPrompt)]
        if masks:
            given = np.maximum.reduce(masks)
            matte = correction.applied(segmenter, image, np.maximum(matte, resized(given, small)))
            if len(masks) == len(asked):
                keys.given[frame] = given
        else:
            matte = correction.without_boxes(matte)
        keys.keep(frame, image, matte)
        keys.by_hand.add(frame)
    return keys


def _correction(prompts: Sequence[FramePrompt], size: tuple[int, int]) -> Correction:
    """What the prompts of one frame exclude from the object."""
    outside, small = [p for p in prompts if says_outside(p)], working_size(size)
    return Correction(
        [_scaled_point(p, size, small) for p in outside if isinstance(p, PointPrompt)],
        [_scaled(p.box, size, small) for p in outside if isinstance(p, BoxPrompt)],
    )


def _seen(
    sighting: Sighting,
    others: Sequence[Sighting],
    clip: Clip,
    segmenter: Segmenter,
    go_on: Callable[[], None],
) -> KeyMattes:
    """Segment a detected object where it was seen best, in frames spread over its time on screen:
    roughly at first, and again once a clean plate has been built from these."""
    keys = KeyMattes(sighting=sighting)
    segmenter = keys.suited(segmenter)
    frames = sighting.spread(PLATES, others)
    images, cuts = dict[int, Image](), dict[int, Matte]()
    for frame in frames:
        images[frame] = picture(clip, frame)
        cuts[frame] = cut(segmenter, images[frame], sighting.seen[frame])
        go_on()
    keys.plate = _clean_plate(sighting, images, cuts)
    for frame in sighting.spread(KEYS, others):
        matte, detection = cuts.get(frame), sighting.seen[frame]
        if matte is None:
            images[frame] = picture(clip, frame)
            matte = cut(segmenter, images[frame], detection)
        keys.keep(frame, images[frame], recut(segmenter, images[frame], detection, matte, keys))
        go_on()
    return keys


def _clean_plate(
    sighting: Sighting, images: Mapping[int, Image], cuts: Mapping[int, Matte]
) -> CleanPlate | None:
    """The shot without a detected object. What a rough matte misses would end up in the plate, so
    at first much of its box counts as hidden; the difference from that plate is a better matte."""
    boxes = {frame: sighting.seen[frame].box for frame in cuts}
    plate = CleanPlate.of([(images[f], hidden_by(cuts[f], boxes[f])) for f in cuts])
    if plate is None:
        return None
    rough = {f: plate.rough_matte(images[f], boxes[f], cuts[f]) for f in cuts}
    hidden = [
        (images[f], hidden_by(cuts[f], boxes[f]) if matte is None else hidden_by(matte))
        for f, matte in rough.items()
    ]
    return CleanPlate.of(hidden) or plate


def cut(segmenter: Segmenter, image: Image, detection: Detection) -> Matte:
    """The detector's own matte; failing that, the segmenter's for its box."""
    return segmenter.segment(image, [detection.box]) if detection.matte is None else detection.matte


def recut(
    segmenter: Segmenter, image: Image, detection: Detection, first: Matte, keys: KeyMattes
) -> Matte:
    """A first matte, refined with the clean plate if there is one."""
    if detection.matte is not None or keys.plate is None:
        return first
    rough = keys.plate.rough_matte(image, detection.box, first)
    return first if rough is None else segmenter.segment(image, hint=rough)


def _chosen(
    prompt: NamePrompt | EverythingPrompt, sightings: Sequence[Sighting], detector: Detector
) -> list[Sighting]:
    if isinstance(prompt, EverythingPrompt):
        return list(sightings)
    name = detector.name_of(prompt.name)
    named = [s for s in sightings if s.name == name]
    return named[prompt.instance - 1 : prompt.instance]


def _tell(
    prompt: NamePrompt,
    chosen: Sequence[Sighting],
    sightings: Sequence[Sighting],
    clip: Clip,
    shot: tuple[int, int],
) -> None:
    """Log which of several objects was chosen, where it is, and how to choose another."""
    for sighting in chosen:
        alike = [other for other in sightings if other.name == sighting.name]
        frame, detection = sighting.best
        box = _scaled(detection.box, working_size(clip.size), clip.size)
        logger.info(
            "frames %d-%d: using %s %d of %d, box:%d,%d,%d,%d@%d%s",
            shot[0], shot[1] - 1, sighting.name, prompt.instance, len(alike),
            box.x0, box.y0, box.x1, box.y1, frame,
            "" if len(alike) == 1 else "; --list-objects shows them all, "
            f"{sighting.name}#N takes another",
        )  # fmt: skip


def picture(clip: Clip, frame: int) -> Image:
    """A frame at the working size."""
    return next(small_frames(clip, frame, frame + 1))


def _read_mask(prompt: MaskPrompt, size: tuple[int, int]) -> Matte:
    mask = read_matte(prompt.path, size, prompt.pick)
    brightest = int(mask.max())
    if not brightest:
        raise ObjectNotFoundError(f"{prompt.path}: the mask is empty; paint the object white")
    # If the brightest value is grey, that counts as full coverage.
    return np.asarray(cv2.convertScaleAbs(mask, alpha=255 / brightest), np.uint8)


def _scaled(box: Box, size: tuple[int, int], small: tuple[int, int]) -> Box:
    down, across = small[0] / size[0], small[1] / size[1]
    x0, y0 = int(box.x0 * across), int(box.y0 * down)
    return Box(x0, y0, max(x0 + 1, round(box.x1 * across)), max(y0 + 1, round(box.y1 * down)))


def _scaled_point(
    point: PointPrompt, size: tuple[int, int], small: tuple[int, int]
) -> tuple[int, int]:
    return int(point.x * small[1] / size[1]), int(point.y * small[0] / size[0])
