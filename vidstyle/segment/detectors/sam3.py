"""Segment Anything 3 (Carion et al. 2025) by ``transformers``: cuts out what words say."""

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import Sam3Model, Sam3Processor

from vidstyle.segment.clip import Image
from vidstyle.segment.detectors.open_vocabulary import Found, OpenVocabulary
from vidstyle.segment.segmenters.pretrained import load_pretrained


class Sam3(OpenVocabulary):
    """A ``Detector`` of an open set of names that gives a matte with each box.

    Args:
        model: on its device.
        processor: of that model.
        threshold, faint: see ``OpenVocabulary``.
    """

    name = "sam3"

    def __init__(
        self, model: Sam3Model, processor: Sam3Processor, threshold: float = 0.5, faint: float = 0.2
    ) -> None:
        super().__init__(threshold, faint)
        self._model, self._processor = model.eval(), processor

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> "Sam3":
        """A model in a folder as its authors publish it (``facebook/sam3``): config.json,
        model.safetensors, and the files of its processor. Nothing is downloaded.

        Raises:
            WeightsError: the folder holds no such model.
        """
        model, processor = load_pretrained(
            folder,
            "SAM 3",
            "its config.json, model.safetensors, and tokenizer and preprocessor files",
            Sam3Model,
            Sam3Processor,
        )
        return cls(model.to(device), processor)

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
