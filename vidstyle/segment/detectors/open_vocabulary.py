"""Open-vocabulary detectors, from the ``transformers`` library."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import batched_nms

from vidstyle.errors import UsageError
from vidstyle.media.frame import Box
from vidstyle.segment.clip import Image
from vidstyle.segment.detectors.detector import Detection
from vidstyle.segment.segmenters.pretrained import load_pretrained

_FILES = "its config.json, model.safetensors, and tokenizer and preprocessor files"
_OVERLAP = 0.5  # intersection over union above which two boxes of a name are one object


class Found(NamedTuple):
    """What a model found in a picture.

    Attributes:
        boxes: (N, 4), x0, y0, x1, y1 in pixels.
        scores: (N,)
        numbers: (N,), indices of the names.
        masks: (N, H, W), 1 inside; None if the model returns boxes only.
    """

    boxes: Tensor
    scores: Tensor
    numbers: Tensor
    masks: Tensor | None = None


class OpenVocabulary(ABC):
    """An open-vocabulary ``Detector``.

    Attributes:
        name: see ``Detector``.
        title: the model's published name.
        classes: of its model and processor in ``transformers``.
        threshold: minimum score.
        faint: minimum score of a low-confidence detection.
    """

    name: str
    title: str
    classes: tuple[Any, Any]
    threshold: float
    faint: float

    def __init__(self, model: Any, processor: Any) -> None:
        """
        Args:
            model: on its device.
            processor: the model's own.
        """
        self._model, self._processor = model.eval(), processor

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> Self:
        """Load a model from a folder laid out as published: config.json, model.safetensors, and its
        processor's files. Nothing is downloaded.

        Raises:
            WeightsError: the folder does not contain such a model.
        """
        model, processor = load_pretrained(folder, cls.title, _FILES, *cls.classes)
        return cls(model.to(device), processor)

    def name_of(self, word: str) -> str:
        """See ``Detector``: accepts any words."""
        return " ".join(word.lower().split())

    @torch.inference_mode()
    def detect(
        self, image: Image, names: Sequence[str] = (), faint: bool = False
    ) -> list[Detection]:
        """See ``Detector``.

        Raises:
            UsageError: no names are given, as for ``all``.
        """
        if not names:
            raise UsageError(
                f"{self.name} finds only what it is asked for: name the objects instead of all"
            )
        least = self.faint if faint else self.threshold
        found = self._found(image, names, least)
        kept = batched_nms(found.boxes, found.scores, found.numbers, _OVERLAP)
        detections = [_detection(found, i, names, image.shape[:2]) for i in kept.tolist()]
        return [d for d in detections if min(d.box.width, d.box.height) > 0]

    @abstractmethod
    def _found(self, image: Image, names: Sequence[str], least: float) -> Found:
        """The detections with a score of at least ``least`` in a picture (H, W, 3)."""


def _detection(found: Found, index: int, names: Sequence[str], size: tuple[int, ...]) -> Detection:
    matte = None
    if found.masks is not None:
        matte = np.where(found.masks[index].cpu().numpy() > 0, np.uint8(255), np.uint8(0))
    name, score = names[int(found.numbers[index])], float(found.scores[index])
    return Detection(name, score, _whole_pixels(found.boxes[index], size), matte)


def _whole_pixels(box: Tensor, size: tuple[int, ...]) -> Box:
    """A box (x0, y0, x1, y1) as whole pixels inside a picture (H, W)."""
    x0, y0, x1, y1 = (round(edge) for edge in box.tolist())
    return Box(max(x0, 0), max(y0, 0), min(x1, size[1]), min(y1, size[0]))
