"""Segment Anything 3 (Carion et al. 2025) via ``transformers``: segments objects by text."""

from collections.abc import Sequence

import torch
from transformers import Sam3Model, Sam3Processor

from vidstyle.segment.clip import Image
from vidstyle.segment.detectors.open_vocabulary import Found, OpenVocabulary


class Sam3(OpenVocabulary):
    """An open-vocabulary ``Detector`` that returns a matte with each box: ``facebook/sam3``."""

    name = "sam3"
    title = "SAM 3"
    classes = (Sam3Model, Sam3Processor)
    threshold, faint = 0.5, 0.2

    def _found(self, image: Image, names: Sequence[str], least: float) -> Found:
        pixels = self._processor(images=image, return_tensors="pt").to(self._model.device)
        seen = self._model.get_vision_features(pixel_values=pixels.pixel_values)
        boxes, scores, numbers, masks = [], [], [], []
        for number, name in enumerate(names):
            words = self._processor(text=name, return_tensors="pt").to(self._model.device)
            outputs = self._model(
                vision_embeds=seen,
                input_ids=words.input_ids,
                attention_mask=words.attention_mask,
            )
            (found,) = self._processor.post_process_instance_segmentation(
                outputs, threshold=least, target_sizes=[image.shape[:2]]
            )
            boxes.append(found["boxes"])
            scores.append(found["scores"])
            numbers.append(torch.full_like(found["scores"], number))
            masks.append(found["masks"])
        return Found(*map(torch.cat, (boxes, scores, numbers, masks)))
