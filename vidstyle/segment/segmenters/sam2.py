"""Segment Anything 2 (Ravi et al. 2024) via ``transformers``."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from transformers import Sam2Model, Sam2Processor

from vidstyle.media.frame import Box
from vidstyle.segment.clip import Image
from vidstyle.segment.mattes.store import Matte
from vidstyle.segment.segmenters.pretrained import load_pretrained
from vidstyle.segment.segmenters.promptable import Labelled, Promptable, hint_logits

#: Feature maps at three scales, and the picture's size (H, W).
_Features = tuple[list[torch.Tensor], tuple[int, int]]


class Sam2(Promptable[_Features]):
    """A ``Segmenter`` backed by SAM 2, which is several times faster than SAM.

    Args:
        model: on its device.
        processor: the model's own.
    """

    name = "sam2"

    def __init__(self, model: Sam2Model, processor: Sam2Processor) -> None:
        super().__init__()
        self._model, self._processor = model.eval(), processor

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> "Sam2":
        """Load a model from a folder laid out as published (``facebook/sam2.1-hiera-small``):
        config.json, model.safetensors and its processor's files. Nothing is downloaded.

        Raises:
            WeightsError: the folder does not contain such a model.
        """
        model, processor = load_pretrained(
            folder,
            "SAM 2",
            "its config.json, model.safetensors and preprocessor files",
            Sam2Model,
            Sam2Processor,
        )
        return cls(model.to(device), processor)

    @torch.inference_mode()
    def _look_at(self, image: Image) -> _Features:
        inputs = self._processor(images=image, return_tensors="pt").to(self._model.device)
        return self._model.get_image_embeddings(inputs["pixel_values"]), image.shape[:2]

    @torch.inference_mode()
    def _answers(
        self,
        features: _Features,
        box: Box | None,
        points: Sequence[Labelled],
        hint: Matte | None,
        several: bool,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        embeddings, size = features
        # One picture, one object.
        prompts = self._processor(
            input_boxes=[[[box.x0, box.y0, box.x1, box.y1]]] if box else None,
            input_points=[[[list(point) for point, _ in points]]] if points else None,
            input_labels=[[[int(inside) for _, inside in points]]] if points else None,
            original_sizes=[list(size)],
            return_tensors="pt",
        ).to(self._model.device)
        prompts.pop("original_sizes", None)
        outputs = self._model(
            image_embeddings=embeddings,
            input_masks=None if hint is None else self._hint(hint),
            multimask_output=several,
            **prompts,
        )
        (logits,) = self._processor.post_process_masks(
            outputs.pred_masks.cpu(), [size], binarize=False
        )
        return logits[0].numpy(), outputs.iou_scores[0, 0].cpu().numpy()

    def _hint(self, hint: Matte) -> torch.Tensor:
        """The hint as the decoder expects it: (1, 1, 256, 256), the picture stretched to a
        square."""
        size = self._model.prompt_encoder.mask_input_size
        small = cv2.resize(hint, size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
        return torch.from_numpy(hint_logits(small))[None, None].to(self._model.device)
