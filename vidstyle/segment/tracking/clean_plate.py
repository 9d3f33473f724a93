"""The clean plate: what a shot looks like behind its object."""

import logging
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.media.frame import Box
from vidstyle.segment.clip import Image, Plane
from vidstyle.segment.mattes.guided import GuidedFilter
from vidstyle.segment.mattes.store import Matte
from vidstyle.segment.odds import logistic

logger = logging.getLogger(__name__)

_LEAST_SEEN = 3  # frames in which a pixel's background must be visible
_LEAST_SAMPLES = 5
_LEAST_POINTS = 30  # that follow the camera
_LEAST_SHARE = 0.3  # of all points that no known object hides
_NEAR = 2.0  # pixels: inlier distance of the affine map
_ABOUT = 6.0  # pixels: inlier distance of the similarity
_NOISE = 4.0  # levels: minimum spread of a pixel
_MISPLACED = 0.5  # pixels: expected registration error
_HIDDEN = 1 << 14  # instead of a level: the background is hidden there
_EQUAL = 3.0  # spreads within which a pixel matches the plate
_SLOPE, _BACKGROUND, _OBJECT = 0.8, -2.0, 2.5  # log odds: per spread, minimum and maximum
_AROUND = 0.12  # of a box, which seldom contains all of its object,
_BEYOND = 0.5  # and may miss what is held in a hand;
_GROWTH = 1.4  # but a matte that grows by more has leaked into the background

Hidden = NDArray[np.bool_]

#: An affine map (2, 3) from the plate's pixels to those of a picture.
Camera = NDArray[np.float64]


def hidden_by(matte: Matte, box: Box | None = None) -> Hidden:
    """Where an object (H, W) hides the background, with a margin; plus the ellipse in its box,
    which contains most of what a bad matte misses."""
    side = 2 * max(2, round(0.01 * max(matte.shape))) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    shape = matte.copy()
    if box is not None:
        middle = ((box.x0 + box.x1) // 2, (box.y0 + box.y1) // 2)
        cv2.ellipse(shape, middle, (box.width // 2, box.height // 2), 0, 0, 360, 255, cv2.FILLED)
    return np.asarray(cv2.dilate(shape, disc) > 20)


class CleanPlate:
    """The median of a shot's registered frames, without the pixels that the object hides.

    It works for a locked-off camera, or motion that an affine map can follow; a pixel's spread over
    the frames tells how significant its difference from the plate is.

    Args:
        picture: (H, W, 3), levels; from any frame where the plate is not known.
        spread: (H, W, 3), levels.
        known: (H, W), where the background was visible often enough.
        cameras: of some of the shot's frames.
    """

    def __init__(
        self,
        picture: NDArray[np.int16],
        spread: Plane,
        known: NDArray[np.bool_],
        cameras: Sequence[Camera] = (),
    ) -> None:
        self._known, self._cameras = known, cameras
        self._picture = picture.astype(np.float32)
        self._spread = spread
        self._grey = np.asarray(self._picture.mean(axis=-1), np.uint8)
        self._points = _points(self._grey, known)

    @classmethod
    def of(cls, samples: Sequence[tuple[Image, Hidden]]) -> "CleanPlate | None":
        """The plate of sampled pictures (H, W, 3), each with a mask of its hidden background
        (H, W); None if there are too few, or the camera's motion cannot be followed."""
        if len(samples) < _LEAST_SAMPLES:
            return None
        middle, hidden = samples[len(samples) // 2]
        grey = cv2.cvtColor(middle, cv2.COLOR_RGB2GRAY)
        points = _points(np.asarray(grey, np.uint8), ~hidden)
        layers, cameras = [], []
        for image, hidden in samples:
            free = ~hidden
            matrix = _camera(np.asarray(grey, np.uint8), points, image, free)
            if matrix is not None:
                free[[0, -1]] = free[:, [0, -1]] = False  # what is warped from beyond is hidden
                layer = _warped(image, matrix).astype(np.int16)
                layer[_warped(np.where(free, np.uint8(255), np.uint8(0)), matrix) < 255] = _HIDDEN
                layers.append(layer)
                cameras.append(matrix)
        if len(layers) < max(_LEAST_SAMPLES, len(samples) // 2):
            logger.debug("no clean plate: the camera's motion cannot be followed")
            return None
        stack = np.stack(layers)
        seen = stack != _HIDDEN
        picture = _median(stack, seen)
        gaps = np.where(seen, np.abs(stack - picture), _HIDDEN)
        known = seen.sum(axis=0).min(axis=-1) >= _LEAST_SEEN
        picture = np.where(known[..., None], picture, middle).astype(np.int16)
        logger.debug(
            "clean plate: %d frames, %.0f%% of it seen", len(layers), 100 * float(known.mean())
        )
        return cls(picture, 1.48 * _median(gaps, seen).astype(np.float32), known, cameras)

    def camera(
        self, image: Image, hidden: Hidden | None = None, near: Sequence[Camera] = ()
    ) -> Camera | None:
        """The map from the plate's pixels to those of a picture (H, W, 3); None if the camera's
        motion cannot be followed.

        Args:
            hidden: where the object is likely to be (H, W); ignored for camera motion.
            near: maps of neighbouring or possibly neighbouring frames, as starting points, so that
                a repeating structure, such as the struts of a tower, is not off by a period.
        """
        free = np.ones(image.shape[:2], np.bool_) if hidden is None else ~hidden
        found = (_camera(self._grey, self._points, image, free, start) for start in (*near, None))
        return next((camera for camera in found if camera is not None), None)

    def log_odds(self, image: Image, window: Box, camera: Camera | None) -> Plane:
        """Log odds (h, w) of anything other than the plate at each pixel of a window; 0 where the
        plate is unknown.

        Args:
            camera: of this picture, as returned by :meth:`camera`.
        """
        if camera is None:
            return np.zeros((window.height, window.width), np.float32)
        # From the window's pixels to the plate's.
        inverse = np.asarray(cv2.invertAffineTransform(camera))
        inverse[:, 2] = inverse @ (window.x0, window.y0, 1)
        size = (window.width, window.height)
        plate, spread, known = (
            np.asarray(
                cv2.warpAffine(plane, inverse, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP),
                np.float32,
            )
            for plane in (self._picture, self._spread, self._known.astype(np.float32))
        )
        steep = np.maximum(np.abs(cv2.Sobel(plate, cv2.CV_32F, 1, 0, scale=1 / 8)),
                           np.abs(cv2.Sobel(plate, cv2.CV_32F, 0, 1, scale=1 / 8)))  # fmt: skip
        noise = np.sqrt(spread**2 + _NOISE**2 + (_MISPLACED * steep) ** 2)
        gap = np.abs(image[window.rows, window.columns] - plate) / noise
        unlike = np.asarray(cv2.blur(gap.max(axis=-1), (3, 3)), np.float32)
        odds = np.clip(_SLOPE * (unlike - _EQUAL), _BACKGROUND, _OBJECT)
        return np.asarray(np.where(known > 0.99, odds, 0), np.float32)

    def known_in(self, box: Box) -> float:
        """Share of a box, 0 to 1, where the plate is known, for a locked-off camera."""
        return float(self._known[box.rows, box.columns].mean())

    def rough_matte(self, image: Image, box: Box, first: Matte) -> Matte | None:
        """What differs from the plate in and around a box: (H, W). Where the plate is unknown, it
        falls back to the ``first`` matte (H, W). None if the result is not plausible."""
        camera = self.camera(image, hidden_by(first), self._cameras)
        wide = self._rough_matte(image, box, first, camera, _BEYOND)
        if wide is not None and (wide > 127).sum() <= _GROWTH * (first > 127).sum():
            return wide
        return self._rough_matte(image, box, first, camera, _AROUND)

    def _rough_matte(
        self, image: Image, box: Box, first: Matte, camera: Camera | None, reach: float
    ) -> Matte | None:
        around = box.padded(round(reach * min(box.width, box.height)), 1, image.shape[:2])
        odds = self.log_odds(image, around, camera)
        here = first[around.rows, around.columns].astype(np.float32) / 255
        odds = np.where(odds == 0, 2 * here - 1, odds).astype(np.float32)
        smooth = GuidedFilter(image[around.rows, around.columns], 4, 1e-3)
        object_ = (smooth(logistic(odds)) > 0.5).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(object_)
        if count == 1:
            return None
        areas = stats[1:, cv2.CC_STAT_AREA]
        large = 1 + np.flatnonzero(areas > 0.1 * areas.max())
        matte = np.zeros(image.shape[:2], np.uint8)
        matte[around.rows, around.columns] = np.where(np.isin(labels, large), 255, 0)
        share = float((matte[box.rows, box.columns] > 0).mean())
        return matte if 0.1 < share < 0.95 and self.known_in(box) > 0.3 else None


def _points(grey: NDArray[np.uint8], where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Corners for tracking the camera: (N, 1, 2)."""
    mask = cv2.erode(where.astype(np.uint8), np.ones((15, 15), np.uint8))
    found = cv2.goodFeaturesToTrack(grey, 400, 0.005, 8, mask=mask)
    return np.zeros((0, 1, 2), np.float32) if found is None else np.asarray(found, np.float32)


def _camera(
    grey: NDArray[np.uint8],
    points: NDArray[np.float32],
    image: Image,
    free: NDArray[np.bool_],
    near: Camera | None = None,
) -> Camera | None:
    """The map from a grey picture's pixels to those of ``image``, fitted to the points that land in
    its ``free`` area (H, W), searched ``near`` a map (Lucas & Kanade; RANSAC); None if too few
    agree.

    A similarity comes first: where an object hides most points, some wrong affine map fits as many
    of the rest as the right one. The similarity only selects points, so it may be off by as much
    as a camera's shear moves them.
    """
    if len(points) < _LEAST_POINTS:
        return None
    other = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    start = points if near is None else cv2.transform(points, near)
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        grey,
        other,
        points,
        start.copy(),
        winSize=(21, 21),
        maxLevel=4 if near is None else 1,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    height, width = free.shape
    x, y = np.rint(there[:, 0]).astype(int).clip(0, (width - 1, height - 1)).T
    good = (found.ravel() > 0) & free[y, x]
    here, there = points[good], there[good]
    if len(here) < _LEAST_POINTS:
        return None
    cv2.setRNGSeed(0)
    similarity, follows = cv2.estimateAffinePartial2D(
        here, there, method=cv2.RANSAC, ransacReprojThreshold=_ABOUT
    )
    if similarity is None:
        return None
    alike = follows.ravel() > 0
    matrix, follows = cv2.estimateAffine2D(
        here[alike], there[alike], method=cv2.RANSAC, ransacReprojThreshold=_NEAR
    )
    if matrix is None or follows.sum() < max(_LEAST_POINTS, _LEAST_SHARE * len(here)):
        return None
    return np.asarray(matrix, np.float64)


def _warped(plane: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A picture (H, W, 3) or (H, W) warped to the grid that ``matrix`` maps from; 0 outside."""
    size = plane.shape[1::-1]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(plane, matrix, size, flags=flags), np.uint8)


def _median(stack: NDArray[np.int16], seen: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Median of the visible values along the first axis; hidden ones sort last."""
    middle = np.maximum(seen.sum(axis=0) - 1, 0) // 2
    return np.asarray(np.take_along_axis(np.sort(stack, axis=0), middle[None], axis=0)[0])
