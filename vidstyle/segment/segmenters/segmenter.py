"""Segmenting one frame from prompts: the interface, and the choice of implementation."""

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
from vidstyle.segment.people.networks import PersonNetworks
from vidstyle.segment.people.witness import PersonWitness
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
        """Whether it improves on a tracked matte that it is given as the hint."""
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
            boxes: each contains the object, or one part of it; inside the picture.
            points: pixels (x, y) on the object; inside the picture.
            hint: a rough matte (H, W) of the object.
            outside: pixels (x, y) that are not on the object.

        Returns:
            (H, W), 0 to 255; all 0 if nothing is found there.

        Raises:
            ValueError: no prompt is given.
        """
        ...


@runtime_checkable
class Remembering(Protocol):
    """A ``Segmenter`` that tracks what it has segmented with a memory of its own."""

    def tracker(self) -> MatteTracker:
        """A new tracker; each thing needs its own, since it remembers that thing."""
        ...


def weights_missing(name: str) -> WeightsError:
    """The error for ``sam`` or ``mobile-sam`` without its weights."""
    return WeightsError(
        f"--segmenter {name}: its weights are not on this machine; "
        f"run 'vidstyle models fetch {_TO_FETCH[name]}', or use --segmenter grabcut"
    )


def build_segmenter(
    name: str, weights: Path | None, device: torch.device, people: Path | None = None
) -> Segmenter:
    """Build ``grabcut``, or ``sam`` or ``mobile-sam`` with its weights file.

    Args:
        weights: for ``mobile-sam`` the authors' checkpoint (.pt), or the encoder in ONNX, with the
            decoder beside it.
        people: BlazePose, with Selfie Segmentation beside it, to vote on people with SAM's answers;
            None for no vote.

    Raises:
        UsageError: the name is unknown.
        WeightsError: the weights are missing or cannot be read.
    """
    if name == "grabcut":
        return GrabCut()
    if name not in _TO_FETCH:
        raise UsageError(f"--segmenter {name}: unknown; use one of {', '.join(SEGMENTERS)}")
    if weights is None:
        raise weights_missing(name)
    # Imported late: torchvision takes two seconds to load.
    from vidstyle.segment.segmenters.mobile_sam import load_checkpoint, load_mobile_sam
    from vidstyle.segment.segmenters.sam import Sam
    from vidstyle.segment.segmenters.voting import PeopleVote

    if name == "sam":
        sam = Sam.load(weights, device)
    elif weights.suffix == ".pt":
        sam = Sam(load_checkpoint(weights, device), name)
    else:
        decoder = weights.with_name("mobile_sam_decoder.safetensors")
        sam = Sam(load_mobile_sam(weights, decoder, device), name)
    if people is None:
        return sam
    networks = PersonNetworks(people, people.with_name("selfie_segmentation.tflite"))
    return PeopleVote(sam, PersonWitness(networks))
