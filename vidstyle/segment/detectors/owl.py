"""OWLv2 (Minderer et al., NeurIPS 2023) by ``transformers``."""

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import Owlv2ForObjectDetection, Owlv2Processor

from vidstyle.segment.clip import Image
from vidstyle.segment.detectors.open_vocabulary import Found, OpenVocabulary
from vidstyle.segment.segmenters.pretrained import load_pretrained


class Owl(OpenVocabulary):
    """A ``Detector`` of an open set of names.

    Args:
        model: on its device.
        processor: of that model.
        threshold, faint: see ``OpenVocabulary``.
    """

    name = "owlv2"

    def __init__(
        self,
        model: Owlv2ForObjectDetection,
        processor: Owlv2Processor,
        threshold: float = 0.2,
        faint: float = 0.05,
    ) -> None:
        super().__init__(threshold, faint)
        self._model, self._processor = model.eval(), processor

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

    def _found(self, image: Image, names: Sequence[str], least: float) -> Found:
        queries = [f"a photo of a {name}" for name in names]
        inputs = self._processor(text=[queries], images=image, return_tensors="pt")
        outputs = self._model(**inputs.to(self._model.device))
        (found,) = self._processor.post_process_grounded_object_detection(
            outputs, threshold=least, target_sizes=[image.shape[:2]]
        )
        return Found(found["boxes"], found["scores"], found["labels"])
