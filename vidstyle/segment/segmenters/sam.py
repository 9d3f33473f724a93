"""Segment Anything (Kirillov et al. 2023), by the authors' own package."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import segment_anything
import torch
from numpy.typing import NDArray

from vidstyle.errors import WeightsError
from vidstyle.media.frame import Box
from vidstyle.models.weights import load_tensors
from vidstyle.segment.clip import Image
from vidstyle.segment.mattes.store import Matte
from vidstyle.segment.segmenters.promptable import Labelled, Promptable, hint_logits

# The released models differ in the width of the image encoder.
_BUILDERS = {768: "vit_b", 1024: "vit_l", 1280: "vit_h"}


@dataclass(frozen=True)
class _Features:
    """A picture as the predictor caches it.

    Attributes:
        features: (1, 256, 64, 64).
        original_size, input_size: (H, W) of the picture, and as resized for the encoder.
    """

    features: torch.Tensor
    original_size: tuple[int, int]
    input_size: tuple[int, int]


class Sam(Promptable[_Features]):
    """A ``Segmenter`` backed by SAM, or by another model with the same interface.

    Args:
        model: a ``segment_anything`` model, in evaluation mode, on its device.
        name: of the segmenter.
    """

    def __init__(self, model: segment_anything.modeling.Sam, name: str = "sam") -> None:
        super().__init__()
        self.name = name
        self._predictor = segment_anything.SamPredictor(model)

    @classmethod
    def load(cls, weights: Path, device: torch.device) -> "Sam":
        """Build the model that matches the weights: ViT-B, ViT-L or ViT-H.

        Raises:
            WeightsError: the file is missing, damaged, or does not contain SAM's weights.
        """
        try:
            state = load_tensors(weights)
            width = state["image_encoder.patch_embed.proj.weight"].shape[0]
            model = segment_anything.sam_model_registry[_BUILDERS[width]]()
            model.load_state_dict(state)
        # Unexpected keys, encoder width or tensor shapes.
        except (KeyError, IndexError, RuntimeError):
            raise WeightsError(
                f"{weights}: these are no weights of SAM; give sam_vit_b, _l or _h"
            ) from None
        return cls(model.eval().to(device))

    def _look_at(self, image: Image) -> _Features:
        seen = self._predictor
        seen.set_image(image)
        return _Features(seen.features, seen.original_size, seen.input_size)

    def _answers(
        self,
        features: _Features,
        box: Box | None,
        points: Sequence[Labelled],
        hint: Matte | None,
        several: bool,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        vars(self._predictor).update(vars(features))
        logits, scores, _ = self._predictor.predict(
            point_coords=np.array([point for point, _ in points], float) if points else None,
            point_labels=np.array([inside for _, inside in points], int) if points else None,
            box=np.array([box.x0, box.y0, box.x1, box.y1], float) if box else None,
            mask_input=None if hint is None else self._hint_logits(hint),
            multimask_output=several,
            return_logits=True,
        )
        return logits, scores

    def _hint_logits(self, hint: Matte) -> NDArray[np.float32]:
        """The hint as the decoder expects it: (1, 256, 256), scaled like the image by its long
        side, padded on the right and at the bottom."""
        height, width = self._predictor.model.prompt_encoder.mask_input_size
        scale = max(height, width) / max(hint.shape)
        size = (round(hint.shape[1] * scale), round(hint.shape[0] * scale))
        small = cv2.resize(hint, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        logits = hint_logits(np.zeros((1, height, width), np.float32))
        logits[0, : size[1], : size[0]] = hint_logits(small)
        return logits
