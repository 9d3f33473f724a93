"""Segmenting one frame from prompts: the interface, and the choice of who does it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from vidstyle.errors import UsageError, WeightsError
from vidstyle.frame import Box
from vidstyle.segment.grabcut import GrabCut
from vidstyle.segment.mattes import Matte


class Segmenter(Protocol):
    """Cuts one object out of one picture."""

    @property
    def name(self) -> str: ...

    @property
    def renews(self) -> bool:
        """Whether what it makes of a hint is better than the tracker's matte that the hint is."""
        ...

    def segment(
        self,
        image: NDArray[np.uint8],
        boxes: Sequence[Box] = (),
        points: Sequence[tuple[int, int]] = (),
        hint: Matte | None = None,
    ) -> Matte:
        """The matte of the object that the prompts point at.

        Args:
            image: RGB (H, W, 3).
            boxes: each holds the object, or one part of it; inside the picture.
            points: pixels (x, y) on the object; inside the picture.
            hint: a rough matte (H, W) of the object.

        Returns:
            (H, W), 0 to 255; all 0 when nothing is found there.

        Raises:
            ValueError: no prompt is given.
        """
        ...


def build_segmenter(name: str, sam_weights: Path | None, device: torch.device) -> Segmenter:
    """``grabcut``, or ``sam`` with the file of its weights.

    Raises:
        UsageError: an unknown name.
        WeightsError: ``sam`` without weights, or with weights that cannot be read.
    """
    match name:
        case "grabcut":
            return GrabCut()
        case "sam" if sam_weights is not None:
            # It costs two seconds for torchvision.
            from vidstyle.segment.sam import Sam

            return Sam.load(sam_weights, device)
        case "sam":
            raise WeightsError(
                "--segmenter sam: its weights are not on this machine; "
                "run 'vidstyle models fetch sam-vit-b', or use --segmenter grabcut"
            )
    raise UsageError(f"--segmenter {name}: unknown; use auto, sam or grabcut")
