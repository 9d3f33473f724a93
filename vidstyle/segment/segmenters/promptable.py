"""Common base of the Segment Anything models: prompts in, the best mask out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from vidstyle.media.frame import Box
from vidstyle.segment.clip import Image
from vidstyle.segment.mattes.store import Matte, agreement, bounding_box
from vidstyle.segment.odds import logistic
from vidstyle.segment.recent import Recent
from vidstyle.segment.segmenters.grouping import grouped

# Logit inside a hint; the models' own masks have logits of about this size.
_HINT_LOGIT = 10.0

# What makes an answer to points plausible. Tuned on six DAVIS clips, where the mean J changes by
# less than 0.02 from 0.7 to 0.85, and from 0.5 to 0.55.
_BELIEVED = 0.8  # of the best score among the answers
_STABLE = 0.55  # stability
_OFFSET = 1.0  # logits by which the threshold is shifted to measure it
_MOST = 0.5  # share of the picture: a larger answer is the object's setting

#: Pictures whose features are cached: a shot's key frames, which are prompted in turn, several
#: times. SAM's and MobileSAM's take 4 MiB each, SAM 2's 16 MiB.
KEPT = 24

#: A pixel (x, y), and whether it is on the object.
Labelled = tuple[tuple[int, int], bool]
Features = TypeVar("Features")


class Promptable(ABC, Generic[Features]):
    """A ``Segmenter`` backed by a promptable model. A picture's features, which take most of the
    time, are computed once and cached for later prompts on the same picture."""

    name: str
    renews = True

    def __init__(self) -> None:
        self._kept = Recent[Features](KEPT)

    def segment(
        self,
        image: Image,
        boxes: Sequence[Box] = (),
        points: Sequence[tuple[int, int]] = (),
        hint: Matte | None = None,
        outside: Sequence[tuple[int, int]] = (),
    ) -> Matte:
        """See ``Segmenter``. Each box is prompted with the points inside it, the remaining points
        together; the union of the answers is returned. Exclusion points go with every prompt.

        Points in no box may mean a part or the whole: the whole is assumed. Exclusion points
        narrow it down to a part."""
        boxes = list(boxes)
        if hint is not None and not boxes and (box := _box_of(hint)):
            boxes.append(box)
        if not boxes and not points:
            raise ValueError("no prompt is given")
        features = self._features(image)
        matte = np.zeros(image.shape[:2], np.uint8)
        for box, inside in grouped(boxes, points):
            matte = np.maximum(matte, self._ask(features, box, inside, outside, hint))
        return matte

    def _features(self, image: Image) -> Features:
        return self._kept.get(image, lambda: self._look_at(image))

    def _ask(
        self,
        features: Features,
        box: Box | None,
        inside: Sequence[tuple[int, int]],
        outside: Sequence[tuple[int, int]],
        hint: Matte | None,
    ) -> Matte:
        points = [*((point, True) for point in inside), *((point, False) for point in outside)]
        if box is None:
            return _sigmoid(self._whole(features, points, hint))
        # A box alone is ambiguous: take the best of three answers, as the authors' exporter does.
        # With points it is not, and the single answer is better.
        logits, scores = self._answers(features, box, points, hint, several=not points)
        if hint is not None:
            return _sigmoid(_most_alike(logits, scores, hint))
        return _sigmoid(logits[int(np.argmax(scores))])

    def _whole(
        self, features: Features, points: Sequence[Labelled], hint: Matte | None
    ) -> NDArray[np.float32]:
        """Logits (H, W) of the whole object under the points. The answer that a model scores best
        is often a part, such as a sleeve or a wheel; so the largest plausible one is taken, and
        prompted again with its box for a better outline."""
        answers = self._answers(features, None, points, hint, several=True)
        whole = _largest_believable(*answers, points)
        matte = _sigmoid(whole)
        box = bounding_box((matte > 127).astype(np.uint8))
        if box is None:
            return whole
        return _most_alike(*self._answers(features, box, points, None, several=True), matte)

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
        """Logits (N, H, W) of the candidate masks for the prompts in the picture with these
        features, and the model's own scores (N,); only one unless ``several``."""


def hint_logits(hint: NDArray[np.float32]) -> NDArray[np.float32]:
    """A hint, 0 to 255, as logits."""
    return (hint / 127.5 - 1.0) * _HINT_LOGIT


def _most_alike(
    logits: NDArray[np.float32], scores: NDArray[np.float32], matte: Matte
) -> NDArray[np.float32]:
    """The answer (of N, H, W) with the best product of agreement with a matte (H, W) and score
    (of N)."""
    answers = np.where(logits > 0, np.uint8(255), np.uint8(0))
    alike = np.array([agreement(answer, matte) for answer in answers])
    return np.asarray(logits[int(np.argmax(alike * scores))], np.float32)


def _largest_believable(
    logits: NDArray[np.float32], scores: NDArray[np.float32], points: Sequence[Labelled]
) -> NDArray[np.float32]:
    """The largest of the answers (N, H, W) that is consistent with the points, scores (N,) almost
    as well as the best, is stable when its threshold moves (Kirillov et al. 2023) and covers at
    most half of the picture; falls back to the best."""

    def is_believable(answer: NDArray[np.float32], score: float) -> bool:
        stability = (answer > _OFFSET).sum() / max((answer > -_OFFSET).sum(), 1)
        keeps = all((answer[y, x] > 0) == inside for (x, y), inside in points)
        share = (answer > 0).mean()
        return bool(
            keeps and score >= _BELIEVED * scores.max() and stability >= _STABLE and share <= _MOST
        )

    believable = [a for a, score in zip(logits, scores, strict=True) if is_believable(a, score)]
    if not believable:
        return np.asarray(logits[int(np.argmax(scores))], np.float32)
    return max(believable, key=lambda answer: int((answer > 0).sum()))


def _box_of(hint: Matte) -> Box | None:
    """The box of what is more object than background; failing that, of all non-zero pixels. A soft
    rim would make it too large."""
    return bounding_box((hint > 127).astype(np.uint8)) or bounding_box(hint)


def _sigmoid(logits: NDArray[np.float32]) -> Matte:
    """Logits to a matte: their steep zero crossing at an edge becomes a soft edge."""
    return np.rint(255 * logistic(np.clip(logits, -30.0, 30.0))).astype(np.uint8)
