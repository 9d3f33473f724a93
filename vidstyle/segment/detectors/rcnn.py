"""Mask R-CNN and Faster R-CNN from torchvision: the better detectors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.models import detection

from vidstyle.errors import WeightsError
from vidstyle.media.frame import Box
from vidstyle.models.weights import load_tensors
from vidstyle.segment.clip import Image
from vidstyle.segment.detectors.detector import Detection
from vidstyle.segment.detectors.vocabulary import name_for

_UNUSED = ("__background__", "N/A")


@dataclass(frozen=True)
class _Variant:
    """How to build a network without weights, and the names of its classes."""

    build: Callable[..., detection.FasterRCNN]
    categories: Sequence[str]


VARIANTS = {
    # He et al. 2017; Li et al. 2021 for the second version.
    "maskrcnn-v2": _Variant(
        detection.maskrcnn_resnet50_fpn_v2,
        detection.MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1.meta["categories"],
    ),
    # Ren et al. 2015, on MobileNetV3's features.
    "fasterrcnn-mobilenet": _Variant(
        detection.fasterrcnn_mobilenet_v3_large_fpn,
        detection.FasterRCNN_MobileNet_V3_Large_FPN_Weights.COCO_V1.meta["categories"],
    ),
}
"""By name in the registry of weights."""


class Rcnn:
    """A ``Detector``; Mask R-CNN also segments what it finds.

    Args:
        name: one of ``VARIANTS``.
        network: of that variant, on its device.
        threshold: minimum score; ``faint``: that of a low-confidence detection.
    """

    def __init__(
        self,
        name: str,
        network: detection.FasterRCNN,
        threshold: float = 0.5,
        faint: float = 0.1,
    ) -> None:
        self.name = name
        self._categories = VARIANTS[name].categories
        self._names = [each for each in self._categories if each not in _UNUSED]
        self._network = network.eval()
        self._threshold, self._faint = threshold, faint

    @classmethod
    def load(cls, name: str, weights: Path, device: torch.device) -> "Rcnn":
        """Build a variant with its weights.

        Raises:
            WeightsError: the file cannot be read, or contains another network's weights.
        """
        network = VARIANTS[name].build(weights=None, weights_backbone=None)
        try:
            network.load_state_dict(load_tensors(weights))
        except RuntimeError:
            raise WeightsError(
                f"{weights}: these are no weights of {name}; run 'vidstyle models fetch {name}'"
            ) from None
        return cls(name, network.to(device))

    def name_of(self, word: str) -> str:
        """See ``Detector``."""
        return name_for(word, self._names)

    @torch.inference_mode()
    def detect(
        self,
        image: Image,
        names: Sequence[str] = (),  # noqa: ARG002
        faint: bool = False,
    ) -> list[Detection]:
        """See ``Detector``."""
        least = self._faint if faint else self._threshold
        device = next(self._network.parameters()).device
        picture = torch.from_numpy(image).to(device).permute(2, 0, 1).float() / 255
        found = {key: values.cpu() for key, values in self._network([picture])[0].items()}
        detections = []
        for number, score in enumerate(found["scores"].tolist()):
            name = self._categories[int(found["labels"][number])]
            box = _whole_pixels(found["boxes"][number], image.shape[:2])
            if score < least or name in _UNUSED or min(box.width, box.height) <= 0:
                continue
            matte = None
            if "masks" in found:
                matte = np.rint(255 * found["masks"][number, 0].numpy()).astype(np.uint8)
            detections.append(Detection(name, score, box, matte))
        return sorted(detections, key=lambda d: -d.score)


def _whole_pixels(box: Tensor, size: tuple[int, ...]) -> Box:
    """A box (x0, y0, x1, y1) as whole pixels inside a picture (H, W)."""
    x0, y0, x1, y1 = (round(edge) for edge in box.tolist())
    return Box(max(x0, 0), max(y0, 0), min(x1, size[1]), min(y1, size[0]))
