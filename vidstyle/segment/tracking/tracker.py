"""Tracking a matte from one frame to the next, without learned weights."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.media.frame import Box
from vidstyle.segment.clip import LONG_SIDE, Image, Plane
from vidstyle.segment.mattes.guided import GuidedFilter
from vidstyle.segment.mattes.store import Matte, bounding_box
from vidstyle.segment.odds import log_odds, logistic
from vidstyle.segment.people.witness import PersonWitness
from vidstyle.segment.tracking.affine import (
    Affine,
    Flow,
    fit_affine,
    trust,
)
from vidstyle.segment.tracking.appearance import Appearance, Bins, Known
from vidstyle.segment.tracking.clean_plate import Camera, CleanPlate, hidden_by
from vidstyle.segment.tracking.pair_flows import PairFlows
from vidstyle.segment.tracking.place import Place
from vidstyle.segment.tracking.traits import Traits

# Weights of the evidence, all in log odds, tuned with tools/bench_segment.py.
_FLOW = 0.7
_LOCAL_COLOUR = 1.0
_KEY_COLOUR = 0.5
_SHAPE = 0.5
_MOTION = 3.0
_NEIGHBOURS = 4.0
_PLATE = 1.5
_PERSON = 2.0

_BLUR = 4.0  # pixels of a frame of LONG_SIDE: how far flow misplaces an edge
_LEAST_TRUST = 0.3  # minimum, in the matte warped along a flow that fails its check
_ROUNDS = 3  # of mean-field inference between neighbours
_RADIUS, _EPSILON = 6.0, 1e-3  # of the neighbours' guided filter
_SHAPE_DECAY = 0.9  # of the shape's memory, per frame
_DRAW = 0.2  # share of the place's drift that is corrected per frame
_STILL = 0.35  # share of the object's own motion at which a pixel's is no evidence
_VETO = 2.0  # log odds of background, by colour, that overrule motion and clean plate
_LEAST_PIXELS = 50  # nothing is learned from a smaller object
_HIDDEN = 0.35  # share of its recent visible area, below which the object is occluded
_GROWN = 1.5  # likewise, above which it is another object
_KNOWN = 0.6  # colour similarity, below which it is another object,
_SURELY_KNOWN = 0.75  # and below which it may be another one, if it was not tracked
_WHOLE = 0.95  # share of its recent visible area, from which it is not occluded
_LATELY = 16  # frames: no object shrinks that much that quickly
_STEADY = 0.8  # of its speed's memory, per frame

# The object's region similarity (J) to the ground truth as a linear function of three measures,
# fitted on six DAVIS clips. On a clip left out of the fit its mean error is 0.08, and its ranking
# of frames has a Spearman's rho of 0.81 with the true one.
_SURE, _ALIKE, _CARRIED, _OFFSET = 0.45, 0.64, 0.59, -0.67
#: At most, where the matte of what was detected as a person does not show one. Single frames of
#: DAVIS's bmx-trees where it does not have a J below 0.3.
_CONTRADICTED = 0.4
_RIM = 10.0  # pixels of a frame of LONG_SIDE around the object, where key-frame colours are checked

_AT_REST = (0.0, 0.0)

#: (H, W, 2) from a picture to the one tracked before it, and from that one to it.
Flows = tuple[Flow, Flow]


@dataclass(frozen=True, eq=False)
class _Sight:
    """An object as seen in a picture: its pixel count, the centre of its box, its speed relative to
    its background and that of the background, in pixels per frame, its place, and its shape
    there."""

    pixels: int
    centre: tuple[float, float]
    speed: tuple[float, float]
    around: tuple[float, float]
    place: Place
    shape: Plane


class Tracker:
    """Tracks an object's matte to the next picture, forwards or backwards in time.

    Each pixel around the object gathers evidence: the matte warped along the optical flow, as far
    as forward and backward flow agree (Ruder et al. 2016); its colour, by place on the object
    and by the key frame (``Appearance``); its difference from the clean plate; the object's
    remembered shape; and, if the object moves differently from its background, the pixel's own
    motion. Mean-field rounds of a dense CRF (Krähenbühl & Koltun 2011), with a guided filter as
    the kernel, then make neighbours of similar colour agree.

    During an occlusion of most of the object, its place and shape are extrapolated at its last
    speed and nothing is learned, so that it can be re-identified when it reappears; until then,
    only pixels with its colours are accepted.

    Args:
        flows: between pictures; by default estimated with OpenCV's DIS, and not cached.
        plate: the shot without its object, if known, as additional evidence.
        known: further pictures (H, W, 3) in which the object's matte (H, W) is known, to learn its
            appearance from.
        witness: shows where a person is: additional evidence, while it sees a person in the latest
            key frame.
    """

    def __init__(
        self,
        flows: PairFlows | None = None,
        plate: CleanPlate | None = None,
        known: Sequence[tuple[Image, Matte]] = (),
        witness: PersonWitness | None = None,
    ) -> None:
        self._flows = flows or PairFlows()
        self._plate, self._witness = plate, witness
        self._traits = Traits.of(image for image, _ in known) if known else None
        self._known = [
            (image, Known.of(self._traits(image), probability, Place.around(box)))
            for image, probability in ((i, _plane(matte) / np.float32(255)) for i, matte in known)
            if self._traits and (box := _box_of(probability))
        ]
        self._image: Image | None = None
        self._place: Place | None = None
        self._confidence = 1.0
        self._lately: deque[_Sight] = deque(maxlen=_LATELY)
        self._before: _Sight | None = None
        self._around = _AT_REST
        self._camera: Camera | None = None

    @property
    def hidden(self) -> bool:
        """Whether most or all of the object is occluded in the latest picture."""
        return self._before is not None

    @property
    def confidence(self) -> float:
        """Of the latest matte: its estimated intersection over union with the ground truth, 0 to
        1; 1 at the key frame, 0 where the object is lost."""
        return self._confidence

    def reset(self, image: Image, matte: Matte) -> None:
        """Start from a key frame: a picture (H, W, 3) with the object's matte (H, W), which is
        remembered longest. Right after :meth:`step` with the same picture, recent sightings are
        kept too, unless the object was hidden."""
        if image is not self._image:
            self._camera = None
        if image is not self._image or self.hidden:
            self._lately.clear()
        self._image, self._before = image, None
        self._probability = _plane(matte) / np.float32(255)
        self._is_person = self._witness is not None and (
            self._witness.expected or self._witness.confirm(image, matte) is not None
        )
        self._place = None
        self._confidence = 1.0
        self._traits = self._traits or Traits.of([image])
        self._seen = self._traits(image)
        box = _box_of(self._probability)
        if box is None:
            return
        place = Place.around(box)
        # A matte of a few pixels in a tiny picture leaves nothing to track in.
        if place.window(image.shape[:2]) is None:
            return
        self._place = place
        others = [known for seen, known in self._known if not np.array_equal(seen, image)]
        self._appearance = Appearance([Known.of(self._seen, self._probability, place), *others])
        self._shape = place.shape_of(self._probability)

    def flows(self, latest: Image, image: Image) -> Flows:
        """The motion between two pictures (H, W, 3) for :meth:`step`. It does not depend on the
        tracker's state, and may be estimated ahead, in another thread."""
        forward, backward = self._flows(latest, image)
        return backward, forward

    def step(self, image: Image, flows: Flows | None = None) -> Matte:
        """The object's matte (H, W) in the picture after, or before, the latest one; empty if the
        object is lost or has left the frame.

        Args:
            flows: between the latest picture and this one; estimated here by default.

        Raises:
            RuntimeError: called before ``reset``.
        """
        if self._image is None or self._traits is None:
            raise RuntimeError("reset() comes before step()")
        probability = np.zeros(image.shape[:2], np.float32)
        self._confidence = 0.0
        if self._place is not None:
            self._seen = self._traits(image)
            backward, forward = flows or self.flows(self._image, image)
            self._place = self._moved(self._place, forward)
            if window := self._place.window(image.shape[:2]):
                bins = Appearance.bins(self._seen, self._place, window)
                inside = self._infer(image, bins, backward, forward, self._place, window)
                if self._is_hidden(inside, window):
                    inside = self._unless_strange(inside, bins)
                probability[window.rows, window.columns] = inside
                if not self.hidden:
                    self._remember(probability, self._place)
                    self._learn(bins, probability, self._place, window)
        self._image, self._probability = image, probability
        return np.rint(255 * probability).astype(np.uint8)

    def expected(self) -> Matte:
        """The shape (H, W) of a hidden object where it should be in the latest picture, merged with
        its visible part; empty if the object has left the frame."""
        matte = np.rint(255 * self._probability).astype(np.uint8)
        if self._place is not None and (window := self._place.window(matte.shape)):
            shape = np.where(self._place.shape_in(self._shape, window) > 0.5, np.uint8(255), 0)
            here = matte[window.rows, window.columns]
            np.maximum(here, shape.astype(np.uint8), out=here)
        return np.asarray(matte, np.uint8)

    def recognizes(self, matte: Matte) -> bool:
        """Whether a matte (H, W) in the latest picture re-identifies the hidden object: about as
        large, and more like it than like its surroundings."""
        if self._before is None:
            return False
        share = float((matte > 127).sum()) / self._before.pixels
        ours, others = self._appearance.likeness(self._seen, _plane(matte) / np.float32(255))
        return _HIDDEN <= share <= _GROWN and ours >= max(_SURELY_KNOWN, others)

    def _moved(self, place: Place, forward: Flow) -> Place:
        """The object's place in this picture. The visible remainder of a hidden object does not
        show its motion: it continues at its last speed relative to its surroundings."""
        inside = self._probability > 0.5
        around = fit_affine(forward, ~inside, step=8)
        self._around = around.at(place.x, place.y) if around else _AT_REST
        speed = _AT_REST
        if self._before is not None:
            speed = self._before.speed
        elif own := fit_affine(forward, inside, step=2):
            return place.moved(own, LONG_SIDE)
        return place.shifted(self._around[0] + speed[0], self._around[1] + speed[1])

    def _remember(self, probability: Plane, place: Place) -> None:
        """Record how the object was seen in this picture (H, W)."""
        box = _box_of(probability)
        if box is None:
            return
        centre = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        speed = _AT_REST
        if self._lately:
            latest = self._lately[-1]
            memory = _STEADY if len(self._lately) > 1 else 0.0
            across, down = (
                memory * old + (1 - memory) * (here - there - around)
                for old, here, there, around in zip(
                    latest.speed, centre, latest.centre, self._around, strict=True
                )
            )
            speed = across, down
        pixels = int((probability > 0.5).sum())
        self._lately.append(_Sight(pixels, centre, speed, self._around, place, self._shape))

    def _is_hidden(self, belief: Plane, window: Box) -> bool:
        """Whether most of the object is hidden: too little is visible (h, w), or it looks like
        another object. When an occlusion begins, the place is reset to where it should be."""
        seen = int((belief > 0.5).sum())
        ours, _ = self._appearance.likeness(self._seen[window.rows, window.columns], belief)
        known = ours >= _KNOWN
        if self._before is None:
            most = max((sight.pixels for sight in self._lately), default=0)
            if not most or (known and seen >= _HIDDEN * most):
                return False
            sights = [*self._lately]
            whole = [i for i, sight in enumerate(sights) if sight.pixels >= _WHOLE * most]
            best, since = sights[whole[-1]], sights[whole[-1] + 1 :]
            self._before, self._shape = best, best.shape
            moves = np.array([self._around, *(sight.around for sight in since)]) + best.speed
            self._place = best.place.shifted(*moves.sum(axis=0).tolist())
        elif known and seen >= _HIDDEN * self._before.pixels:
            self._before = None
            self._lately.clear()
        return self.hidden

    def _unless_strange(self, belief: Plane, bins: Bins) -> Plane:
        """Keep a belief (h, w) only if it is a part of the object, with its colours rather than its
        surroundings'; clear it otherwise."""
        assert self._before is not None
        inside = belief > 0.5
        _, key = self._appearance.log_odds(bins)
        is_part = 0 < inside.sum() < _HIDDEN * self._before.pixels
        if is_part and float(np.median(key[inside])) > 0:
            return belief
        self._confidence = 0.0
        return np.zeros_like(belief)

    def _infer(
        self, image: Image, bins: Bins, backward: Flow, forward: Flow, place: Place, window: Box
    ) -> Plane:
        """The probability (h, w) of the object at each pixel of a window."""
        flow = backward[window.rows, window.columns]
        carried, trust = self._carried(flow, forward, window)
        local, key = self._appearance.log_odds(bins)
        shape = place.shape_in(_blurred(self._shape, 2.0), window)
        evidence = (
            _FLOW * trust * log_odds(_blurred(carried, self._pixels(_BLUR)), 1e-3)
            + _LOCAL_COLOUR * local
            + _KEY_COLOUR * key
            + _SHAPE * log_odds(shape, 0.02)
        )
        # Reflections and shadows move with the object, and other objects hide the plate just as
        # this one does: colour may veto.
        allowed = np.clip(1 + local / _VETO, 0, 1)
        matte = np.zeros(image.shape[:2], np.uint8)
        matte[window.rows, window.columns] = np.rint(255 * carried)
        if self._plate is not None:
            near = [] if self._camera is None else [self._camera]
            self._camera = self._plate.camera(image, hidden_by(matte), near)
            other = self._plate.log_odds(image, window, self._camera)
            evidence += _PLATE * np.where(other > 0, allowed * other, other)
        contradicted = False
        if self._witness is not None and self._is_person:
            seen = self._witness.confirm(image, matte)
            contradicted = seen is None and self._witness.expected
            if seen is not None:
                evidence += _PERSON * seen.log_odds()[window.rows, window.columns]
        background = fit_affine(backward, self._probability <= 0.5, step=8)
        if background is not None:
            motion = _unlike(background, flow, carried > 0.5, window)
            evidence += _MOTION * trust * np.where(motion > 0, allowed * motion, motion)
        crop = image[window.rows, window.columns]
        smooth = GuidedFilter(crop, self._pixels(_RADIUS), _EPSILON)
        belief = logistic(evidence)
        for _ in range(_ROUNDS):
            belief = logistic(evidence + _NEIGHBOURS * (2 * smooth(belief) - 1))
        self._confidence = self._estimate(belief, carried, key)
        if contradicted:
            self._confidence = min(self._confidence, _CONTRADICTED)
        return belief

    def _estimate(self, belief: Plane, carried: Plane, key: Plane) -> float:
        """The confidence: how certain the object's pixels are, and how well they agree with the
        matte warped along the flow and with the key frame's colours alone, around the object.

        All arguments are (h, w): probabilities, except ``key``, which is log odds.
        """
        inside = belief > 0.5
        if not inside.any():
            return 0.0
        side = 2 * round(self._pixels(_RIM)) + 1
        near = cv2.dilate(inside.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
        sure = float((2 * belief[inside] - 1).mean())
        alike = _overlap(_plane(inside), _plane((key > 0) & near))
        estimate = _SURE * sure + _ALIKE * alike + _CARRIED * _overlap(belief, carried) + _OFFSET
        return min(max(estimate, 0.0), 1.0)

    def _carried(self, flow: Flow, forward: Flow, window: Box) -> tuple[Plane, Plane]:
        """The latest matte warped into a window (h, w), and how far to trust it, 0 to 1."""
        x = np.arange(window.x0, window.x1, dtype=np.float32) + flow[..., 0]
        y = np.arange(window.y0, window.y1, dtype=np.float32)[:, None] + flow[..., 1]
        carried = _sampled(self._probability, x, y)
        returning = _sampled(forward, x, y)
        return carried, _LEAST_TRUST + (1 - _LEAST_TRUST) * trust(flow, returning)

    def _learn(self, bins: Bins, probability: Plane, place: Place, window: Box) -> None:
        """Learn from this frame's result, and correct the place by it."""
        if (probability > 0.5).sum() < _LEAST_PIXELS:
            return
        inside = probability[window.rows, window.columns]
        self._appearance.learn(bins, inside)
        box = _box_of(probability)
        assert box is not None
        self._place = place.drawn_to(box, _DRAW)
        shape = self._place.shape_of(probability)
        self._shape = _SHAPE_DECAY * self._shape + (1 - _SHAPE_DECAY) * shape

    def _pixels(self, length: float) -> float:
        """Converts a length in pixels of a frame of LONG_SIDE to this frame's pixels."""
        return float(max(0.5, length * max(self._probability.shape) / LONG_SIDE))


def _unlike(background: Affine, flow: Flow, inside: NDArray[np.bool_], window: Box) -> Plane:
    """Log odds (h, w) of object against background, from how much a pixel's motion differs from the
    background's, relative to the object's own difference; 0 if the object moves with it."""
    distance = background.distance(flow, window.x0, window.y0)
    of_object = float(np.median(distance[inside])) if inside.any() else 0.0
    if of_object < 1.5 + 2 * background.spread:
        return np.zeros_like(distance)
    return _plane(np.clip(4 * (distance / of_object - _STILL), -4 * _STILL, 1.0))


def _overlap(a: Plane, b: Plane) -> float:
    """Intersection over union of soft planes, not both empty."""
    return float(np.minimum(a, b).sum() / np.maximum(a, b).sum())


def _box_of(probability: Plane) -> Box | None:
    """The box of the pixels above a probability of 0.5."""
    return bounding_box((probability > 0.5).astype(np.uint8))


def _sampled(plane: Plane, x: Plane, y: Plane) -> Plane:
    """A plane (H, W) or (H, W, C) sampled at x, y; its border is replicated outside."""
    return _plane(cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _blurred(plane: Plane, sigma: float) -> Plane:
    return _plane(cv2.GaussianBlur(plane, (0, 0), sigma))


def _plane(values: NDArray[np.generic]) -> Plane:
    return np.asarray(values, np.float32)
