"""The parts that a render is made of, chosen once, logged, and written to the report."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch

from vidstyle.choices import BFLOAT16, DETECTORS, SEGMENTERS, TEMPORAL
from vidstyle.errors import DeviceError, UsageError, WeightsError
from vidstyle.export.backend import build_backend
from vidstyle.models import weights
from vidstyle.models.hub import find_hub_model, hub_names, model_type, require_hub_model
from vidstyle.models.registry import HUB
from vidstyle.motion.build import build_flow
from vidstyle.motion.cache import FlowCache
from vidstyle.motion.dis import LIGHT, DisFlow
from vidstyle.motion.estimator import FlowEstimator
from vidstyle.options import MachineOptions, RenderOptions
from vidstyle.runtime.device import multiplies_in_bfloat16, select_device
from vidstyle.runtime.extras import is_installed, needs_extra
from vidstyle.runtime.workers import WorkerPool
from vidstyle.segment.detectors.detector import Detector
from vidstyle.segment.detectors.yolo import YoloTiny
from vidstyle.segment.mattes.edges import Edges, build_edges
from vidstyle.segment.prompts import ObjectSpec
from vidstyle.segment.segmenters.segmenter import Segmenter, build_segmenter, weights_missing
from vidstyle.style.build import build_style_model, build_stylizer, choose_model, find_plugin
from vidstyle.style.model import StyleModel
from vidstyle.style.supersampled import Supersampled

_SAM = ("sam-vit-h", "sam-vit-l", "sam-vit-b")
_MOBILE_SAM = ("mobile-sam", "mobile-sam-official")
_PEOPLE = "mediapipe-person"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parts:
    """All models of a render. The detector and segmenter are loaded on first use.

    Attributes:
        workers: processes the pictures of a batch in parallel.
        model: name or folder of the style model, or the name of a plug-in.
        backend: runtime of the style network, as for ``--backend``.
        segmenter_name: ``grabcut``, the registry's entry of SAM's or MobileSAM's weights, or the
            folder of a SAM 2 model.
        people_name: the registry's entry of the networks that help SAM with people; None for none.
        detector_name: the registry's entry of a detector's weights, or the folder of an OWLv2
            model; None for none.
        steady: flow estimator of the temporal step; None if that is off.
        following: flow estimator for tracking through a shot, where errors accumulate.
        edges, edges_name: edge refinement of tracked mattes, and its name.
    """

    device: torch.device
    workers: WorkerPool
    stylizer: Supersampled
    model: str
    backend: str
    segmenter_name: str
    people_name: str | None
    detector_name: str | None
    steady: FlowEstimator | None
    following: FlowEstimator
    edges: Edges
    edges_name: str

    @cached_property
    def segmenter(self) -> Segmenter:
        """Cuts objects out.

        Raises:
            WeightsError: its weights are missing or corrupt.
        """
        if self.segmenter_name == "grabcut":
            return build_segmenter("grabcut", None, self.device)
        if self.segmenter_name not in (*_SAM, *_MOBILE_SAM):
            folder = _folder_of(self.segmenter_name)
            with needs_extra("transformers", f"--segmenter {self.segmenter_name}"):
                from vidstyle.segment.segmenters.sam2 import Sam2
                from vidstyle.segment.segmenters.sam2_video import Sam2Video, is_video_model
            return (Sam2Video if is_video_model(folder) else Sam2).load(folder, self.device)
        kind = "sam" if self.segmenter_name in _SAM else "mobile-sam"
        people = self.people_name and weights.require(self.people_name)
        sam = weights.require(self.segmenter_name)
        return build_segmenter(kind, sam, self.device, people or None)

    @cached_property
    def detector(self) -> Detector | None:
        """Finds objects by name; None if no detector's weights are on this machine.

        Raises:
            WeightsError: its weights are corrupt.
            UsageError: the extra that it needs is not installed.
        """
        if self.detector_name is None:
            return None
        if self.detector_name not in DETECTORS:
            with needs_extra("transformers", f"--detector {self.detector_name}"):
                return _load_open_vocabulary(_folder_of(self.detector_name), self.device)
        path = weights.require(self.detector_name)
        if self.detector_name == "yolov3-tiny":
            return YoloTiny(path.with_suffix(".cfg"), path)
        # Importing torchvision takes two seconds.
        from vidstyle.segment.detectors.rcnn import Rcnn

        return Rcnn.load(self.detector_name, path, self.device)

    def names(self) -> dict[str, str]:
        """For the log, the plan and the report."""
        return {
            "device": str(self.device),
            "model": self.model,
            "backend": self.backend,
            "segmenter": self.segmenter_name,
            "people": self.people_name or "none",
            "detector": self.detector_name or "none",
            "edges": self.edges_name,
            "flow": self.steady.name if self.steady else "none",
        }


def build_parts(
    options: RenderOptions,
    specs: Sequence[ObjectSpec | None] = (),
    workers: WorkerPool | None = None,
) -> Parts:
    """Choose the parts, and load those that every render uses; nothing is downloaded.

    Args:
        specs: the objects. Their detector and segmenter are verified here, before any long work.
        workers: process the pictures of a batch; by default on as many threads as there are.

    Raises:
        DeviceError, WeightsError, UsageError: see each part.
    """
    device = select_device(options.device)
    model, reason = choose_model(options.model, device)
    if options.model == "auto":
        log.info("model: %s (%s)", model, reason)
    options = replace(options, model=model)
    if workers is None:
        # A plug-in's runtime has its own threads.
        workers = WorkerPool() if find_plugin(options.model) else WorkerPool.of(device)
    steady = None
    if options.temporal == "blend":
        steady = build_flow(options.flow, device, options.flow_size, _flow_cache(options), LIGHT)
    elif options.temporal != "off":
        raise UsageError(f"--temporal {options.temporal}: use one of {', '.join(TEMPORAL)}")
    segmenter = _choose_segmenter(options.segmenter, device)
    parts = Parts(
        device=device,
        workers=workers,
        stylizer=Supersampled(_build_style_model(options, device, workers)),
        model=options.model,
        backend=options.backend,
        segmenter_name=segmenter,
        people_name=_choose_people(segmenter),
        detector_name=_choose_detector(options.detector),
        steady=steady,
        following=steady if steady and steady.name != "dis" else DisFlow(options.flow_size),
        edges=build_edges(options.edges),
        edges_name=options.edges,
    )
    log.info("using %s", ", ".join(f"{part} {name}" for part, name in parts.names().items()))
    for spec in filter(None, specs):
        _verify(parts, spec)
    return parts


def _build_style_model(
    options: RenderOptions, device: torch.device, workers: WorkerPool
) -> StyleModel:
    """The style model of ``--model`` on the runtime of ``--backend``."""
    memory = options.max_memory * 2**20
    if options.backend == "torch":
        return build_style_model(options.model, device, memory, workers)
    if find_plugin(options.model):
        raise UsageError(
            f"--backend {options.backend}: the plug-in {options.model} has a runtime of its own; "
            "leave --backend out"
        )
    bfloat16 = options.backend == BFLOAT16
    if bfloat16 and not multiplies_in_bfloat16(device):
        raise DeviceError(
            f"--backend {BFLOAT16}: this device has no units for bfloat16 and would take "
            "longer; leave --backend out"
        )
    backend = None if bfloat16 else build_backend(options.backend, options.model, device)
    return build_stylizer(options.model, device, backend, memory, workers, bfloat16)


def _flow_cache(options: MachineOptions) -> FlowCache | None:
    if options.flow_cache is None:
        return None
    return FlowCache(Path(options.flow_cache), options.flow_cache_size * 2**20)


def _choose_segmenter(name: str, device: torch.device) -> str:
    """``grabcut``, a folder, a model of the hub, or the best SAM whose weights are on this machine.

    Of MobileSAM's two forms, ONNX takes half the time on a CPU; only the checkpoint runs on a GPU
    without more.

    Raises:
        UsageError: an unknown name.
        WeightsError: SAM or MobileSAM was asked for by name and is not on this machine.
    """
    if name == "grabcut" or _is_hub_model(name, "segmenter", SEGMENTERS):
        return name
    if name not in SEGMENTERS:
        raise UsageError(
            f"--segmenter {name}: unknown, and no folder of a SAM 2 model; "
            f"use one of {', '.join((*SEGMENTERS, *hub_names('segmenter')))}"
        )
    if name == "auto" and is_installed("transformers"):
        for better in hub_names("segmenter"):
            if find_hub_model(better):
                return better
    small = _MOBILE_SAM if device.type == "cpu" else _MOBILE_SAM[::-1]
    entries = {"auto": (*_SAM, *small), "sam": _SAM, "mobile-sam": small}[name]
    found = next((entry for entry in entries if weights.find(entry)), None)
    if name == "auto":
        log.debug("segmenter: %s", found or "grabcut (no SAM weights on this machine)")
        return found or "grabcut"
    if found is None:
        raise weights_missing(name)
    return found


def _choose_people(segmenter: str) -> str | None:
    """The networks that help with people if they are on this machine; None for GrabCut, and for
    SAM 2, which tracks by itself."""
    if segmenter not in (*_SAM, *_MOBILE_SAM) or weights.find(_PEOPLE) is None:
        return None
    return _PEOPLE


def _choose_detector(name: str) -> str | None:
    """A registry entry whose weights are on this machine, or a folder; None if ``auto`` finds
    none.

    Raises:
        UsageError: neither an entry nor a folder.
        WeightsError: the entry's weights are not on this machine.
    """
    if name == "auto":
        return next((entry for entry in DETECTORS if weights.find(entry)), None)
    if name not in DETECTORS:
        if not _is_hub_model(name, "detector", DETECTORS):
            known = ", ".join((*DETECTORS, *hub_names("detector")))
            raise UsageError(
                f"--detector {name}: no such folder; give one with a model of SAM 3, Grounding "
                f"DINO or OWLv2, or auto or one of {known}"
            )
    elif weights.find(name) is None:
        raise WeightsError(
            f"--detector {name}: its weights are not on this machine; "
            f"run 'vidstyle models fetch {name}'"
        )
    return name


def _is_hub_model(name: str, role: str, others: Sequence[str]) -> bool:
    """Whether ``name`` is a hub model, by name or as a folder.

    Raises:
        WeightsError: the named model's weights are not on this machine.
    """
    if name in hub_names(role):
        require_hub_model(name)
        return True
    return name not in others and Path(name).is_dir()


def _folder_of(name: str) -> Path:
    """Folder of a hub model, given by name or as a folder."""
    return require_hub_model(name) if name in HUB else Path(name)


def _load_open_vocabulary(folder: Path, device: torch.device) -> Detector:
    """Load the kind of model that the folder's configuration names; OWLv2 if it names none."""
    match model_type(folder):
        case "sam3":
            from vidstyle.segment.detectors.sam3 import Sam3

            return Sam3.load(folder, device)
        case "grounding-dino":
            from vidstyle.segment.detectors.grounding_dino import GroundingDino

            return GroundingDino.load(folder, device)
        case _:
            from vidstyle.segment.detectors.owl import Owl

            return Owl.load(folder, device)


def _verify(parts: Parts, spec: ObjectSpec) -> None:
    """Check that the models ``spec`` needs are present and intact, and know its names."""
    if spec.given is None:
        _ = parts.segmenter
    if spec.names:
        spec.check_names(parts.detector)
