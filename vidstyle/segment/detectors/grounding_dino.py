"""Grounding DINO (Liu et al., ECCV 2024) by ``transformers``."""

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import GroundingDinoForObjectDetection, GroundingDinoProcessor

from vidstyle.segment.clip import Image
from vidstyle.segment.detectors.open_vocabulary import Found, OpenVocabulary
from vidstyle.segment.segmenters.pretrained import load_pretrained


class GroundingDino(OpenVocabulary):
    """A ``Detector`` of an open set of names, better than OWLv2 at phrases: "the red umbrella".

    Args:
        model: on its device.
        processor: of that model.
        threshold, faint: see ``OpenVocabulary``.
    """

    name = "grounding-dino"

    def __init__(
        self,
        model: GroundingDinoForObjectDetection,
        processor: GroundingDinoProcessor,
        threshold: float = 0.3,
        faint: float = 0.1,
    ) -> None:
        super().__init__(threshold, faint)
        self._model, self._processor = model.eval(), processor

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> "GroundingDino":
        """A model in a folder as its authors publish it (``IDEA-Research/grounding-dino-tiny``):
        config.json, model.safetensors, and the files of its processor. Nothing is downloaded.

        Raises:
            WeightsError: the folder holds no such model.
        """
        model, processor = load_pretrained(
            folder,
            "Grounding DINO",
            "its config.json, model.safetensors, and tokenizer and preprocessor files",
            GroundingDinoForObjectDetection,
            GroundingDinoProcessor,
        )
        return cls(model.to(device), processor)

    def _found(self, image: Image, names: Sequence[str], least: float) -> Found:
        # One name at a time: of a text of several, words of one may be taken for another.
        boxes, scores, numbers = [], [], []
        for number, name in enumerate(names):
            inputs = self._processor(images=image, text=f"{name}.", return_tensors="pt")
            outputs = self._model(**inputs.to(self._model.device))
            (found,) = self._processor.post_process_grounded_object_detection(
                outputs, inputs.input_ids, threshold=least, target_sizes=[image.shape[:2]]
            )
            boxes.append(found["boxes"])
            scores.append(found["scores"])
            numbers.append(torch.full_like(found["scores"], number))
        return Found(torch.cat(boxes), torch.cat(scores), torch.cat(numbers))
