"""Rough mattes of the person in a box, by two small networks of MediaPipe that OpenCV runs."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.errors import WeightsError
from vidstyle.media.frame import Box
from vidstyle.segment.clip import Image, Plane
from vidstyle.segment.mattes.store import Matte, agreement
from vidstyle.segment.odds import log_odds, logistic
from vidstyle.segment.recent import Recent

_SIDE = 256  # of both networks' input and of their mattes
#: Both were trained on squares a little larger than the person. The network with the landmarks gets
#: as much as in MediaPipe's own pipeline.
_BODY_AROUND, _PORTRAIT_AROUND = 1.25, 1.3
#: Where the frame cuts a figure off at the waist: the square that would contain all of it, in
#: heights of the visible part, with the hips in the middle, at the frame's edge.
_CUT_OFF = 2.5
_AT_EDGE = 0.98  # share of the picture's height from which a box touches its lower edge
_CLEARLY = 0.2  # by how much the portrait must agree better with a figure that is cut off
_LEAST = 0.02  # probability; no network is more certain
#: Results that are cached, of 256 KiB each: a shot is tracked several times, mostly alike.
KEPT = 256
_MATTE, _PRESENCE = "Identity_2", "Identity_1"  # BlazePose's outputs


@dataclass(frozen=True)
class Person:
    """What the two networks see in a box.

    Attributes:
        body: BlazePose's matte (H, W), 0 to 1, 0 far from the box. Best for whole figures.
        portrait: Selfie Segmentation's, likewise. Best for heads and shoulders.
        presence: BlazePose's score that the box contains a person, 0 to 1.
    """

    body: Plane
    portrait: Plane
    presence: float

    def log_odds(self) -> Plane:
        """Log odds (H, W) of person against background: the less certain of the two mattes where
        they agree, and 0 where they do not, as at a helmet in the hand, so that others decide."""
        body, portrait = log_odds(self.body, _LEAST), log_odds(self.portrait, _LEAST)
        least = np.where(np.abs(body) < np.abs(portrait), body, portrait)
        return np.asarray(np.where(body * portrait > 0, least, 0), np.float32)


class PersonNetworks:
    """BlazePose (Bazarevsky et al. 2020, "BlazePose: On-device real-time body pose tracking"; its
    full model, which also segments) and MediaPipe's Selfie Segmentation (2021), a MobileNetV3 with
    a decoder.

    Args:
        body: ``pose_landmark_full.tflite``.
        portrait: ``selfie_segmentation.tflite``.

    Raises:
        WeightsError: a file is not such a network.
    """

    def __init__(self, body: Path, portrait: Path) -> None:
        self._body, self._portrait = _read(body), _read(portrait)
        self._kept = Recent[tuple[_Part, _Part, float]](KEPT)

    def look(self, image: Image, box: Box) -> Person:
        """What is seen of a person around a box in an RGB picture (H, W, 3).

        BlazePose expects a whole figure and takes the chest of one that is cut off for its legs; so
        at the lower edge it looks at both, and the portrait decides.
        """
        body, portrait, presence = self._kept.get(image, lambda: self._seen_in(image, box), box)
        size = image.shape[:2]
        return Person(body.put_back(size), portrait.put_back(size), presence)

    def _seen_in(self, image: Image, box: Box) -> tuple["_Part", "_Part", float]:
        """BlazePose's matte, Selfie Segmentation's, and BlazePose's score."""
        portrait = self._portrait_in(image, _Square.around(box, _PORTRAIT_AROUND))
        body, presence = self._body_in(image, _Square.around(box, _BODY_AROUND))
        if box.y1 >= _AT_EDGE * image.shape[0]:
            size = image.shape[:2]
            least = _overlap(body, portrait, size) + _CLEARLY
            if least < 1:
                upper, upper_presence = self._body_in(image, _Square.below(box, _CUT_OFF))
                if _overlap(upper, portrait, size) > least:
                    body, presence = upper, upper_presence
        return body, portrait, presence

    def _body_in(self, image: Image, square: "_Square") -> tuple["_Part", float]:
        self._body.setInput(square.cut_from(image))
        logits, presence = self._body.forward((_MATTE, _PRESENCE))
        matte = logistic(np.clip(logits[0, 0], -30, 30))
        return _Part(square, matte.astype(np.float16)), float(presence.ravel()[0])

    def _portrait_in(self, image: Image, square: "_Square") -> "_Part":
        self._portrait.setInput(square.cut_from(image))
        return _Part(square, self._portrait.forward()[0, 0].astype(np.float16))


@dataclass(frozen=True)
class _Square:
    """A square of a picture, scaled to the networks' input.

    Attributes:
        to_input: affine map (2, 3) from the picture's pixels to the input's.
    """

    to_input: NDArray[np.float64]

    @classmethod
    def around(cls, box: Box, grown: float) -> "_Square":
        """As wide as the longer side of a box, grown; centred on the box."""
        return cls._at((box.y0 + box.y1) / 2, box, grown * max(box.width, box.height))

    @classmethod
    def below(cls, box: Box, grown: float) -> "_Square":
        """As high as a box, grown; centred on its lower edge."""
        return cls._at(box.y1, box, grown * box.height)

    @classmethod
    def _at(cls, y: float, box: Box, side: float) -> "_Square":
        scale, middle, x = _SIDE / side, _SIDE / 2, (box.x0 + box.x1) / 2
        to_input = np.array([[scale, 0, middle - scale * x], [0, scale, middle - scale * y]])
        return cls(to_input)

    def cut_from(self, image: Image) -> NDArray[np.float32]:
        """(1, 3, side, side), 0 to 1; black outside the picture."""
        square = cv2.warpAffine(image, self.to_input, (_SIDE, _SIDE))
        return np.asarray(cv2.dnn.blobFromImage(square, 1 / 255), np.float32)


@dataclass(frozen=True)
class _Part:
    """A network's matte (side, side), 0 to 1, of a square."""

    square: _Square
    matte: NDArray[np.float16]

    def put_back(self, size: tuple[int, int]) -> Plane:
        """The matte in its place in a picture (H, W)."""
        mode = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        matte = self.matte.astype(np.float32)
        whole = cv2.warpAffine(matte, self.square.to_input, size[::-1], flags=mode)
        return np.asarray(whole, np.float32)


def _read(path: Path) -> "cv2.dnn.Net":
    try:
        return cv2.dnn.readNetFromTFLite(str(path))
    except cv2.error as error:
        raise WeightsError(
            f"{path}: cannot be read as a network in TensorFlow Lite ({error.err}); "
            "run 'vidstyle models fetch'"
        ) from None


def as_matte(plane: Plane) -> Matte:
    """A plane (H, W), 0 to 1, as a matte."""
    return np.rint(255 * plane).astype(np.uint8)


def _overlap(a: _Part, b: _Part, size: tuple[int, int]) -> float:
    return agreement(as_matte(a.put_back(size)), as_matte(b.put_back(size)))
