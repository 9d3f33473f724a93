"""Segment Anything (Kirillov et al. 2023), by the authors' own package."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import segment_anything
import torch
from numpy.typing import NDArray

from vidstyle.errors import WeightsError
from vidstyle.frame import Box
from vidstyle.segment.mattes import Matte, bounding_box
from vidstyle.weights import load_tensors

# The width of the image encoder tells the released models apart.
_BUILDERS = {768: "vit_b", 1024: "vit_l", 1280: "vit_h"}

# A logit of a hint's inside; SAM's own masks carry logits of about this size.
_HINT_LOGIT = 10.0


class Sam:
    """A ``Segmenter``. The image's features are computed once a picture and kept for the next
    prompts on the same picture.

    Args:
        model: a ``segment_anything`` model, in evaluation mode, on its device.
    """

    name = "sam"
    renews = True

    def __init__(self, model: segment_anything.modeling.Sam) -> None:
        self._predictor = segment_anything.SamPredictor(model)
        self._image: NDArray[np.uint8] | None = None

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

    def segment(
        self,
        image: NDArray[np.uint8],
        boxes: Sequence[Box] = (),
        points: Sequence[tuple[int, int]] = (),
        hint: Matte | None = None,
    ) -> Matte:
        """See ``Segmenter``. Each box is asked about with the points inside it, the remaining
        points together; the answers are united."""
        boxes = list(boxes)
        if hint is not None and not boxes and (box := bounding_box(hint)):
            boxes.append(box)
        if not boxes and not points:
            raise ValueError("no prompt is given")
        self._look_at(image)
        matte = np.zeros(image.shape[:2], np.uint8)
        free = list(points)
        for box in boxes:
            inside = [p for p in points if box.x0 <= p[0] < box.x1 and box.y0 <= p[1] < box.y1]
            free = [p for p in free if p not in inside]
            matte = np.maximum(matte, self._ask(box, inside, hint))
        return np.maximum(matte, self._ask(None, free, hint)) if free else matte

    def _look_at(self, image: NDArray[np.uint8]) -> None:
        if self._image is None or not np.array_equal(self._image, image):
            self._predictor.set_image(image)
            self._image = image.copy()

    def _ask(self, box: Box | None, points: Sequence[tuple[int, int]], hint: Matte | None) -> Matte:
        # One point may mean a part or the whole: take the best scored of three answers, as the
        # paper does. More prompts settle that, and the single answer is better.
        ambiguous = box is None and len(points) == 1
        logits, scores, _ = self._predictor.predict(
            point_coords=np.array(points, float) if points else None,
            point_labels=np.ones(len(points), int) if points else None,
            box=np.array([box.x0, box.y0, box.x1, box.y1], float) if box else None,
            mask_input=None if hint is None else self._hint_logits(hint),
            multimask_output=ambiguous,
            return_logits=True,
        )
        return _sigmoid(logits[int(np.argmax(scores))])

    def _hint_logits(self, hint: Matte) -> NDArray[np.float32]:
        """The hint as the decoder wants it: (1, 256, 256), scaled like the image to the long
        side, padded at the right and below."""
        height, width = self._predictor.model.prompt_encoder.mask_input_size
        scale = max(height, width) / max(hint.shape)
        size = (round(hint.shape[1] * scale), round(hint.shape[0] * scale))
        small = cv2.resize(hint, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        logits = np.full((1, height, width), -_HINT_LOGIT, np.float32)
        logits[0, : size[1], : size[0]] = (small / 127.5 - 1.0) * _HINT_LOGIT
        return logits


def _sigmoid(logits: NDArray[np.float32]) -> Matte:
    """Logits to a matte: SAM's logits cross zero steeply at an edge, which makes it soft."""
    probability = 1.0 / (1.0 + np.exp(-np.clip(logits, -30.0, 30.0)))
    return np.rint(255.0 * probability).astype(np.uint8)
