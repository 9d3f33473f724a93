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
    """A picture as the predictor keeps it.

    Attributes:
        features: (1, 256, 64, 64).
        original_size, input_size: (H, W) of the picture, and as it was brought to the encoder.
    """

    features: torch.Tensor
    original_size: tuple[int, int]
    input_size: tuple[int, int]


class Sam(Promptable[_Features]):
    """A ``Segmenter`` by the first model, or another that shares its prompts and its answers.

    Args:
        model: a ``segment_anything`` model, in evaluation mode, on its device.
        name: what it is called.
    """

    def __init__(self, model: segment_anything.modeling.Sam, name: str = "sam") -> None:
        super().__init__()
        self.name = name
        self._predictor = segment_anything.SamPredictor(model)

    @classmethod
    def load(cls, weights: Path, device: torch.device) -> "Sam":
        """Build the model whose weights these are: ViT-B, ViT-L or ViT-H.

        Raises:
            WeightsError: the file is missing, damaged, or holds other weights than SAM's.
        """
        try:
            state = load_tensors(weights)
            width = state["image_encoder.patch_embed.proj.weight"].shape[0]
            model = segment_anything.sam_model_registry[_BUILDERS[width]]()
            model.load_state_dict(state)
        # Other keys, another width, or tensors of other shapes.
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
        """The hint as the decoder wants it: (1, 256, 256), scaled like the image to the long
        side, padded at the right and below."""
        height, width = self._predictor.model.prompt_encoder.mask_input_size
        scale = max(height, width) / max(hint.shape)
        size = (round(hint.shape[1] * scale), round(hint.shape[0] * scale))
        small = cv2.resize(hint, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        logits = hint_logits(np.zeros((1, height, width), np.float32))
        logits[0, : size[1], : size[0]] = hint_logits(small)
        return logits
