"""Grounding DINO (Liu et al., ECCV 2024) via ``transformers``."""

from collections.abc import Sequence

import torch
from transformers import GroundingDinoForObjectDetection, GroundingDinoProcessor

from vidstyle.segment.clip import Image
from vidstyle.segment.detectors.open_vocabulary import Found, OpenVocabulary


class GroundingDino(OpenVocabulary):
    """An open-vocabulary ``Detector``, made for phrases ("the red umbrella"):
    ``IDEA-Research/grounding-dino-tiny``."""

    name = "grounding-dino"
    title = "Grounding DINO"
    classes = (GroundingDinoForObjectDetection, GroundingDinoProcessor)
    threshold, faint = 0.3, 0.1

    def _found(self, image: Image, names: Sequence[str], least: float) -> Found:
        # One name at a time: with several in one text, the model may mix up their words.
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
