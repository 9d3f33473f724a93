"""What the Segment Anything models have in common: prompts in, the best mask out."""

import hashlib
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from vidstyle.media.frame import Box
from vidstyle.segment.clip import Image
from vidstyle.segment.mattes.store import Matte, agreement, bounding_box

# A logit of a hint's inside; the models' own masks carry logits of about this size.
_HINT_LOGIT = 10.0


#: Pictures whose features are kept: a shot's key frames, which are asked about in turn, several
#: times. SAM's and MobileSAM's take 4 MiB each, SAM 2's 16 MiB.
KEPT = 24

#: A pixel (x, y), and whether it is the object's.
Labelled = tuple[tuple[int, int], bool]
Features = TypeVar("Features")


class Promptable(ABC, Generic[Features]):
    """A ``Segmenter`` by a promptable model. A picture's features, which take most of the time, are
    computed once and kept for the next prompts on the same picture."""

    name: str
    renews = True

    def __init__(self) -> None:
        self._kept = OrderedDict[bytes, Features]()

    def segment(
        self,
        image: Image,
        boxes: Sequence[Box] = (),
        points: Sequence[tuple[int, int]] = (),
        hint: Matte | None = None,
        outside: Sequence[tuple[int, int]] = (),
    ) -> Matte:
        """See ``Segmenter``. Each box is asked about with the points inside it, the remaining
        points together; the answers are united. Points outside the object go with each."""
        boxes = list(boxes)
        if hint is not None and not boxes and (box := _box_of(hint)):
            boxes.append(box)
        if not boxes and not points:
            raise ValueError("no prompt is given")
        features = self._features(image)
        matte = np.zeros(image.shape[:2], np.uint8)
        free = list(points)
        for box in boxes:
            inside = [p for p in points if box.x0 <= p[0] < box.x1 and box.y0 <= p[1] < box.y1]
            free = [p for p in free if p not in inside]
            matte = np.maximum(matte, self._ask(features, box, inside, outside, hint))
        if free:
            matte = np.maximum(matte, self._ask(features, None, free, outside, hint))
        return matte

    def _features(self, image: Image) -> Features:
        key = hashlib.blake2b(image.tobytes(), digest_size=16).digest()
        if key not in self._kept:
            self._kept[key] = self._look_at(image)
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]

    def _ask(
        self,
        features: Features,
        box: Box | None,
        inside: Sequence[tuple[int, int]],
        outside: Sequence[tuple[int, int]],
        hint: Matte | None,
    ) -> Matte:
        # Few prompts may mean a part or the whole: take the best of three answers, as the authors'
        # exporter does. More settle that, and the single answer is better.
        points = [*((point, True) for point in inside), *((point, False) for point in outside)]
        corners = 0 if box is None else 2
        logits, scores = self._answers(
            features, box, points, hint, several=corners + len(points) <= 2
        )
        if hint is not None:
            answers = np.where(logits > 0, np.uint8(255), np.uint8(0))
            scores *= np.array([agreement(answer, hint) for answer in answers], np.float32)
        return _sigmoid(logits[int(np.argmax(scores))])

    @abstractmethod
    def _look_at(self, image: Image) -> Features:
        """The features of a picture (H, W, 3)."""

    @abstractmethod
    def _answers(
        self,
        features: Features,
        box: Box | None,
        points: Sequence[Labelled],
        hint: Matte | None,
        several: bool,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits (N, H, W) of what the prompts may mean in the picture of these features, with the
        model's own scores (N,); one only unless ``several``."""


def hint_logits(hint: NDArray[np.float32]) -> NDArray[np.float32]:
    """A hint of 0 to 255 as logits."""
    return (hint / 127.5 - 1.0) * _HINT_LOGIT


def _box_of(hint: Matte) -> Box | None:
    """The box of what is rather object than not, or else of whatever there is: a soft rim would
    ask for more."""
    return bounding_box((hint > 127).astype(np.uint8)) or bounding_box(hint)


def _sigmoid(logits: NDArray[np.float32]) -> Matte:
    """Logits to a matte: they cross zero steeply at an edge, which makes it soft."""
    probability = 1.0 / (1.0 + np.exp(-np.clip(logits, -30.0, 30.0)))
    return np.rint(255.0 * probability).astype(np.uint8)
