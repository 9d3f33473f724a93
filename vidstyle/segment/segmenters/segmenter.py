"""Segmenting one frame from prompts: the interface, and the choice of who does it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from vidstyle.choices import SEGMENTERS
from vidstyle.errors import UsageError, WeightsError
from vidstyle.media.frame import Box
from vidstyle.segment.mattes.store import Matte
from vidstyle.segment.segmenters.grabcut import GrabCut
from vidstyle.segment.tracking.matte_tracker import MatteTracker

#: What to fetch for a segmenter that needs weights.
_TO_FETCH = {"sam": "sam-vit-b", "mobile-sam": "mobile-sam"}


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
        outside: Sequence[tuple[int, int]] = (),
    ) -> Matte:
        """The matte of the object that the prompts point at.

        Args:
            image: RGB (H, W, 3).
            boxes: each holds the object, or one part of it; inside the picture.
            points: pixels (x, y) on the object; inside the picture.
            hint: a rough matte (H, W) of the object.
            outside: pixels (x, y) that are not the object's.

        Returns:
            (H, W), 0 to 255; all 0 when nothing is found there.

        Raises:
            ValueError: no prompt is given.
        """
        ...


@runtime_checkable
class Remembering(Protocol):
    """A ``Segmenter`` that carries what it has cut out by a memory of its own."""

    def tracker(self) -> MatteTracker:
        """What does that; one for each thing, as it remembers it."""
        ...


def build_segmenter(name: str, weights: Path | None, device: torch.device) -> Segmenter:
    """``grabcut``, or ``sam`` or ``mobile-sam`` with the file of its weights.

    Args:
        weights: of ``mobile-sam`` its encoder's; its decoder's lie beside them.

    Raises:
        UsageError: an unknown name.
        WeightsError: no weights, or weights that cannot be read.
    """
    if name == "grabcut":
        return GrabCut()
    if name not in _TO_FETCH:
        raise UsageError(f"--segmenter {name}: unknown; use one of {', '.join(SEGMENTERS)}")
    if weights is None:
        raise WeightsError(
            f"--segmenter {name}: its weights are not on this machine; "
            f"run 'vidstyle models fetch {_TO_FETCH[name]}', or use --segmenter grabcut"
        )
    # They cost two seconds for torchvision.
    from vidstyle.segment.segmenters.mobile_sam import load_mobile_sam
    from vidstyle.segment.segmenters.sam import Sam

    if name == "sam":
        return Sam.load(weights, device)
    decoder = weights.with_name("mobile_sam_decoder.safetensors")
    return Sam(load_mobile_sam(weights, decoder, device), name)
