"""OWLv2 (Minderer et al., NeurIPS 2023) by ``transformers``: finds what any words say."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torchvision.ops import batched_nms
from transformers import Owlv2ForObjectDetection, Owlv2Processor

from vidstyle.errors import UsageError
from vidstyle.media.frame import Box
from vidstyle.segment.clip import Image
from vidstyle.segment.detectors.detector import Detection
from vidstyle.segment.segmenters.pretrained import load_pretrained

_OVERLAP = 0.5  # intersection over union of two boxes of one name that are one object


class Owl:
    """A ``Detector`` of an open set of names.

    Args:
        model: on its device.
        processor: of that model.
        threshold: least score; ``faint``: of a faint answer.
    """

    name = "owlv2"

    def __init__(
        self,
        model: Owlv2ForObjectDetection,
        processor: Owlv2Processor,
        threshold: float = 0.2,
        faint: float = 0.05,
    ) -> None:
        self._model, self._processor = model.eval(), processor
        self._threshold, self._faint = threshold, faint

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> "Owl":
        """A model in a folder as its authors publish it (``google/owlv2-base-patch16-ensemble``):
        config.json, model.safetensors, and the files of its processor. Nothing is downloaded.

        Raises:
            WeightsError: the folder holds no such model.
        """
        model, processor = load_pretrained(
            folder,
            "OWLv2",
            "its config.json, model.safetensors, and tokenizer and preprocessor files",
            Owlv2ForObjectDetection,
            Owlv2Processor,
        )
        return cls(model.to(device), processor)

    def name_of(self, word: str) -> str:
        """See ``Detector``: any words will do."""
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
        queries = [f"a photo of a {name}" for name in names]
        inputs = self._processor(text=[queries], images=image, return_tensors="pt")
        outputs = self._model(**inputs.to(self._model.device))
        (found,) = self._processor.post_process_grounded_object_detection(
            outputs,
            threshold=self._faint if faint else self._threshold,
            target_sizes=[image.shape[:2]],
        )
        kept = batched_nms(found["boxes"], found["scores"], found["labels"], _OVERLAP)
        detections = [
            Detection(
                names[int(found["labels"][i])],
                float(found["scores"][i]),
                _whole_pixels(found["boxes"][i], image.shape[:2]),
            )
            for i in kept.tolist()
        ]
        return [d for d in detections if min(d.box.width, d.box.height) > 0]


def _whole_pixels(box: Tensor, size: tuple[int, ...]) -> Box:
    """A box (x0, y0, x1, y1) as whole pixels inside a picture (H, W)."""
    x0, y0, x1, y1 = (round(edge) for edge in box.tolist())
    return Box(max(x0, 0), max(y0, 0), min(x1, size[1]), min(y1, size[0]))
