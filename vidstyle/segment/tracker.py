"""Carrying a matte from one frame to the next, without learned weights."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.flow import DisFlow, FlowEstimator
from vidstyle.frame import Box
from vidstyle.segment.appearance import Appearance, Bins
from vidstyle.segment.clip import LONG_SIDE, Image
from vidstyle.segment.guided import GuidedFilter
from vidstyle.segment.mattes import Matte, bounding_box
from vidstyle.segment.motion import Affine, Flow, fit_affine, flows_both_ways, squared_length
from vidstyle.segment.place import Place
from vidstyle.segment.plate import CleanPlate

# The weights of the evidence, all of it log odds, found by tools/bench_segment.py.
_FLOW = 0.7
_LOCAL_COLOUR = 1.0
_KEY_COLOUR = 0.5
_SHAPE = 0.5
_MOTION = 3.0
_NEIGHBOURS = 4.0
_PLATE = 1.5

_BLUR = 4.0  # pixels of a frame of LONG_SIDE: how far flow misplaces an edge
_LEAST_TRUST = 0.3  # of the matte carried along a flow that fails its check
_ROUNDS = 3  # of passing beliefs between neighbours
_RADIUS, _EPSILON = 6.0, 1e-3  # of the neighbours' guided filter
_SHAPE_DECAY = 0.9  # of the shape's memory, a frame
_DRAW = 0.2  # share of the place's drift that is corrected a frame
_STILL = 0.35  # share of the object's own motion at which a pixel's tells nothing
_VETO = 2.0  # log odds of background, by colour, that overrule motion and clean plate
_LEAST_PIXELS = 50  # a smaller object teaches nothing

# The object's region similarity (J) to the truth as a linear function of three measures, fitted on
# six DAVIS clips. Of a clip left out of the fit it is wrong by 0.08 in the mean, and ranks frames
# as the truth does (Spearman's rho 0.81).
_SURE, _ALIKE, _CARRIED, _OFFSET = 0.45, 0.64, 0.59, -0.67
_RIM = 10.0  # pixels of a frame of LONG_SIDE about the object that the key frame's colours judge

Plane = NDArray[np.float32]
#: (H, W, 2) from a picture to the one before it on the way, and from that one to it.
Flows = tuple[Flow, Flow]


class Tracker:
    """Carries an object's matte to the next picture, in either direction of time.

    Each pixel around the object gathers evidence: the matte carried along the optical flow, as far
    as forward and backward flow agree (Ruder et al. 2016); its colour, by place on the object
    and by the key frame (``Appearance``); its difference from the clean plate; the object's
    remembered shape; and, when the object moves unlike its background, the pixel's own motion.
    Neighbours of like colour then agree, by mean-field rounds of a dense CRF (Krähenbühl &
    Koltun 2011) whose kernel is a guided filter.

    Args:
        flow: the flow estimator; OpenCV's DIS when left out.
        plate: the shot without its object, where that is known: one more evidence.
        known: further pictures (H, W, 3) in which the object's matte (H, W) is known; they teach
            what it looks like.
    """

    def __init__(
        self,
        flow: FlowEstimator | None = None,
        plate: CleanPlate | None = None,
        known: Sequence[tuple[Image, Matte]] = (),
    ) -> None:
        self._flow = flow or DisFlow(480)
        self._plate = plate
        self._known = [
            (image, _plane(matte) / np.float32(255), Place.around(box))
            for image, matte in known
            if (box := _box_of(_plane(matte) / np.float32(255)))
        ]
        self._image: Image | None = None
        self._place: Place | None = None
        self._confidence = 1.0

    @property
    def confidence(self) -> float:
        """Of the latest matte: about its intersection over union with the truth, 0 to 1, as far as
        can be told; 1 at the key frame, 0 where the object is lost."""
        return self._confidence

    def reset(self, image: Image, matte: Matte) -> None:
        """Start from a picture (H, W, 3) and the object's matte (H, W) in it, which is the key
        frame: what is remembered longest."""
        self._image = image
        self._probability = _plane(matte) / np.float32(255)
        self._place = None
        self._confidence = 1.0
        box = _box_of(self._probability)
        if box is None:
            return
        place = Place.around(box)
        # A matte of a few pixels in a tiny picture leaves nothing to track in.
        if place.window(image.shape[:2]) is None:
            return
        self._place = place
        others = [known for known in self._known if not np.array_equal(known[0], image)]
        self._appearance = Appearance([(image, self._probability, place), *others])
        self._shape = place.shape_of(self._probability)

    def flows(self, latest: Image, image: Image) -> Flows:
        """What :meth:`step` must know of the motion between two pictures (H, W, 3). It hangs on
        nothing that was tracked, and may be estimated ahead, in another thread."""
        forward, backward = flows_both_ways(self._flow, latest, image)
        return backward, forward

    def step(self, image: Image, flows: Flows | None = None) -> Matte:
        """The object's matte (H, W) in the picture after, or before, the latest one; empty when
        the object is lost or has left the frame.

        Args:
            flows: from the latest picture to this one; estimated here when left out.

        Raises:
            RuntimeError: called before ``reset``.
        """
        if self._image is None:
            raise RuntimeError("reset() comes before step()")
        probability = np.zeros(image.shape[:2], np.float32)
        self._confidence = 0.0
        if self._place is not None:
            backward, forward = flows or self.flows(self._image, image)
            self._place = self._moved(forward)
            if window := self._place.window(image.shape[:2]):
                bins = Appearance.bins(image, self._place, window)
                inside = self._infer(image, bins, backward, forward, self._place, window)
                probability[window.rows, window.columns] = inside
                self._learn(bins, probability, self._place, window)
        self._image, self._probability = image, probability
        return np.rint(255 * probability).astype(np.uint8)

    def _moved(self, forward: Flow) -> Place:
        """The object's place in this picture. A hidden object is taken to move like what is
        around it."""
        assert self._place is not None
        inside = self._probability > 0.5
        motion = fit_affine(forward, inside, step=2) or fit_affine(forward, ~inside, step=8)
        return self._place.moved(motion, LONG_SIDE) if motion else self._place

    def _infer(
        self, image: Image, bins: Bins, backward: Flow, forward: Flow, place: Place, window: Box
    ) -> Plane:
        """The probability (h, w) of the object at each pixel of a window."""
        flow = backward[window.rows, window.columns]
        carried, trust = self._carried(flow, forward, window)
        local, key = self._appearance.log_odds(bins)
        shape = place.shape_in(_blurred(self._shape, 2.0), window)
        evidence = (
            _FLOW * trust * _log_odds(_blurred(carried, self._pixels(_BLUR)), 1e-3)
            + _LOCAL_COLOUR * local
            + _KEY_COLOUR * key
            + _SHAPE * _log_odds(shape, 0.02)
        )
        # A reflection or a shadow moves with the object, and another object hides the plate as
        # well as this one does: colour may veto.
        allowed = np.clip(1 + local / _VETO, 0, 1)
        if self._plate is not None:
            other = self._plate.log_odds(image, window)
            evidence += _PLATE * np.where(other > 0, allowed * other, other)
        background = fit_affine(backward, self._probability <= 0.5, step=8)
        if background is not None:
            motion = _unlike(background, flow, carried > 0.5, window)
            evidence += _MOTION * trust * np.where(motion > 0, allowed * motion, motion)
        crop = image[window.rows, window.columns]
        smooth = GuidedFilter(crop, self._pixels(_RADIUS), _EPSILON)
        belief = _logistic(evidence)
        for _ in range(_ROUNDS):
            belief = _logistic(evidence + _NEIGHBOURS * (2 * smooth(belief) - 1))
        self._confidence = self._estimate(belief, carried, key)
        return belief

    def _estimate(self, belief: Plane, carried: Plane, key: Plane) -> float:
        """The confidence: how sure the object's pixels are, and how well it agrees with the matte
        carried along the flow, and with what the key frame's colours alone say of its surroundings.

        All arguments (h, w): probabilities, but ``key``, which is log odds.
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
        """The latest matte carried into a window (h, w), and how far to trust it, 0 to 1."""
        x = np.arange(window.x0, window.x1, dtype=np.float32) + flow[..., 0]
        y = np.arange(window.y0, window.y1, dtype=np.float32)[:, None] + flow[..., 1]
        carried = _sampled(self._probability, x, y)
        returning = _sampled(forward, x, y)
        gap = squared_length(flow + returning)
        allowed = 0.01 * (squared_length(flow) + squared_length(returning)) + 0.5
        trust = np.clip(2 - gap / allowed, 0, 1)
        return carried, _LEAST_TRUST + (1 - _LEAST_TRUST) * trust

    def _learn(self, bins: Bins, probability: Plane, place: Place, window: Box) -> None:
        """Remember this frame's result, and correct the place by it."""
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
        """A length in pixels of a frame of LONG_SIDE in this frame's pixels."""
        return float(max(0.5, length * max(self._probability.shape) / LONG_SIDE))


def _unlike(background: Affine, flow: Flow, inside: NDArray[np.bool_], window: Box) -> Plane:
    """Log odds (h, w) of object against background by how unlike the background's a pixel's
    motion is, in units of the object's own unlikeness; 0 when the object moves like it."""
    distance = background.distance(flow, window.x0, window.y0)
    of_object = float(np.median(distance[inside])) if inside.any() else 0.0
    if of_object < 1.5 + 2 * background.spread:
        return np.zeros_like(distance)
    return _plane(np.clip(4 * (distance / of_object - _STILL), -4 * _STILL, 1.0))


def _overlap(a: Plane, b: Plane) -> float:
    """Intersection over union of soft planes, neither of them empty."""
    return float(np.minimum(a, b).sum() / np.maximum(a, b).sum())


def _box_of(probability: Plane) -> Box | None:
    """The box of the pixels that are rather object than not."""
    return bounding_box((probability > 0.5).astype(np.uint8))


def _sampled(plane: Plane, x: Plane, y: Plane) -> Plane:
    """A plane (H, W) or (H, W, C) at the positions x, y; beyond its border, the border's values."""
    return _plane(cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _blurred(plane: Plane, sigma: float) -> Plane:
    return _plane(cv2.GaussianBlur(plane, (0, 0), sigma))


def _plane(values: NDArray[np.generic]) -> Plane:
    return np.asarray(values, np.float32)


def _log_odds(probability: Plane, least: float) -> Plane:
    p = np.clip(probability, least, 1 - least)
    return _plane(np.log(p / (1 - p)))


def _logistic(log_odds: Plane) -> Plane:
    return _plane(1 / (1 + np.exp(-log_odds)))
