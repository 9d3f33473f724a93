"""The parts that a render is made of, chosen once, logged, and written to the report."""

import logging
from dataclasses import dataclass

import torch

from vidstyle import weights
from vidstyle.device import select_device
from vidstyle.errors import UsageError
from vidstyle.flow.build import build_flow
from vidstyle.flow.estimator import FlowEstimator
from vidstyle.options import RenderOptions
from vidstyle.segment.detect import Detector, YoloTiny
from vidstyle.segment.segmenter import Segmenter, build_segmenter
from vidstyle.style.build import build_stylizer
from vidstyle.style.stylizer import Stylizer

SEGMENTERS = ("auto", "sam", "grabcut")
TEMPORAL = ("blend", "off")

_SAM = ("sam-vit-h", "sam-vit-l", "sam-vit-b")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parts:
    """Every model of a render.

    Attributes:
        detector: finds objects by name; None where its weights are not on this machine.
        steady: motion for the temporal step; None where that is off.
    """

    device: torch.device
    stylizer: Stylizer
    segmenter: Segmenter
    detector: Detector | None
    steady: FlowEstimator | None

    def names(self) -> dict[str, str]:
        """For the log, the plan and the report."""
        return {
            "device": str(self.device),
            "segmenter": self.segmenter.name,
            "detector": "yolov3-tiny" if self.detector else "none",
            "flow": self.steady.name if self.steady else "none",
        }


def build_parts(options: RenderOptions) -> Parts:
    """Choose and load the parts; nothing is downloaded.

    Raises:
        DeviceError, WeightsError, UsageError: see each part.
    """
    device = select_device(options.device)
    steady = None
    if options.temporal == "blend":
        steady = build_flow(options.flow, device, options.flow_size)
    elif options.temporal != "off":
        raise UsageError(f"--temporal {options.temporal}: use one of {', '.join(TEMPORAL)}")
    parts = Parts(
        device=device,
        stylizer=build_stylizer(options.model, device),
        segmenter=_segmenter(options.segmenter, device),
        detector=_detector(),
        steady=steady,
    )
    log.info("parts: %s", ", ".join(f"{part} {name}" for part, name in parts.names().items()))
    return parts


def _segmenter(name: str, device: torch.device) -> Segmenter:
    found = next((entry for entry in _SAM if weights.find(entry)), None)
    if name == "auto":
        name = "sam" if found else "grabcut"
        reason = found or "no SAM weights on this machine"
        log.info("segmenter: %s (%s)", name, reason)
    return build_segmenter(
        name, weights.require(found) if found and name == "sam" else None, device
    )


def _detector() -> Detector | None:
    if weights.find("yolov3-tiny") is None:
        return None
    path = weights.require("yolov3-tiny")
    return YoloTiny(path.with_suffix(".cfg"), path)
