"""A stand-in for ComfyUI, which is on no package index.

It is not ComfyUI: it does what nodes depend on, as ComfyUI's loader (``nodes.load_custom_node``)
and executor (``execution.py``: ``validate_inputs``, ``PromptExecutor``) do it. A folder is loaded
under a name made of its path; a workflow in the API's format is validated against what the nodes
declare, and run in inference mode, node by node. What the examples do not need (lists, lazy inputs,
caches) is left out.
"""

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import av
import cv2
import numpy as np
import pytest
import torch

Prompt = dict[str, dict[str, Any]]


class InvalidPromptError(Exception):
    """What ComfyUI answers before anything is run."""


class Interrupted(Exception):  # noqa: N818 - ComfyUI calls it InterruptProcessingException
    """Somebody pressed stop."""


@dataclass
class Comfy:
    """
    Attributes:
        folder: holds the pictures and movies that core nodes load.
        progress: of the bars, done and total.
        saved: frames of each movie that was saved, (N, H, W, 3), and its rate.
        interrupted: whether somebody has pressed stop.
    """

    Interrupted: ClassVar = Interrupted
    folder: Path
    nodes: dict[str, Any] = field(default_factory=dict)
    progress: list[tuple[float, float]] = field(default_factory=list)
    saved: list[tuple[torch.Tensor, Fraction]] = field(default_factory=list)
    frames: int = 6  # of a movie that are loaded
    interrupted: bool = False
    on_progress: Callable[[], None] = lambda: None

    def load_custom_node(self, folder: Path) -> ModuleType:
        name = str(folder).replace(".", "_x_")
        spec = importlib.util.spec_from_file_location(name, folder / "__init__.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        assert isinstance(module.NODE_CLASS_MAPPINGS, dict)
        assert module.NODE_DISPLAY_NAME_MAPPINGS.keys() == module.NODE_CLASS_MAPPINGS.keys()
        self.nodes |= module.NODE_CLASS_MAPPINGS
        return module

    def run(self, workflow: Path, changes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Outputs by node.

        Args:
            changes: of inputs, by the class of the node, as a user makes them.
        """
        prompt: Prompt = json.loads(workflow.read_text())
        for node in prompt.values():
            node["inputs"] |= changes.get(node["class_type"], {})
        return self.queue(prompt)

    def queue(self, prompt: Prompt) -> dict[str, Any]:
        for node in prompt.values():
            if node["class_type"] not in self.nodes:
                raise InvalidPromptError(f"node {node['class_type']} does not exist")
        ends = [
            name
            for name, node in prompt.items()
            if getattr(self.nodes[node["class_type"]], "OUTPUT_NODE", False)
        ]
        if not ends:
            raise InvalidPromptError("Prompt has no outputs")
        for name in prompt:
            self._validate(prompt, name)
        outputs: dict[str, Any] = {}
        with torch.inference_mode():
            for name in ends:
                self._execute(prompt, name, outputs)
        return outputs

    def _validate(self, prompt: Prompt, name: str) -> None:
        node = prompt[name]
        declared = self.nodes[node["class_type"]].INPUT_TYPES()
        known = declared["required"] | declared.get("optional", {})
        for wanted in declared["required"]:
            if wanted not in node["inputs"]:
                raise InvalidPromptError(f"Required input is missing: {wanted}")
        for wanted, value in node["inputs"].items():
            kind, *options = known[wanted]
            limits = options[0] if options else {}
            if isinstance(value, list):
                source, slot = value
                given = self.nodes[prompt[source]["class_type"]].RETURN_TYPES[slot]
                if given != kind:
                    raise InvalidPromptError(f"{wanted}, {given} != {kind}")
            elif isinstance(kind, list):
                if value not in kind:
                    raise InvalidPromptError(f"{wanted}: '{value}' not in {kind}")
            else:
                convert = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}[kind]
                value = node["inputs"][wanted] = convert(value)
                if value < limits.get("min", value) or value > limits.get("max", value):
                    raise InvalidPromptError(f"{wanted}: {value} out of bounds")

    def _execute(self, prompt: Prompt, name: str, outputs: dict[str, Any]) -> None:
        if name in outputs:
            return
        node, given = prompt[name], {}
        for wanted, value in node["inputs"].items():
            if isinstance(value, list):
                self._execute(prompt, value[0], outputs)
                given[wanted] = outputs[value[0]][value[1]]
            else:
                given[wanted] = value
        kind = self.nodes[node["class_type"]]
        before = {k: v.clone() for k, v in given.items() if isinstance(v, torch.Tensor)}
        self.throw_exception_if_processing_interrupted()
        made = getattr(kind(), kind.FUNCTION)(**given)
        # Outputs are kept for the next run, so that no node may change what it was given.
        assert all(torch.equal(given[wanted], value) for wanted, value in before.items())
        outputs[name] = made["result"] if isinstance(made, dict) else made
        assert len(outputs[name]) == len(kind.RETURN_TYPES)
        for kind_of, value in zip(kind.RETURN_TYPES, outputs[name], strict=True):
            if kind_of in ("IMAGE", "MASK"):
                assert isinstance(value, torch.Tensor)
                assert value.dtype is torch.float32
                assert value.ndim == {"IMAGE": 4, "MASK": 3}[kind_of]
                assert 0 <= float(value.min()) <= float(value.max()) <= 1

    def throw_exception_if_processing_interrupted(self) -> None:
        if self.interrupted:
            self.interrupted = False
            raise Interrupted


def core_nodes(comfy: Comfy) -> dict[str, Any]:
    """Those of ComfyUI's own that the examples use, with the inputs and outputs that they have."""

    class LoadImage:
        RETURN_TYPES, FUNCTION = ("IMAGE", "MASK"), "load"

        @classmethod
        def INPUT_TYPES(cls) -> Any:  # noqa: N802
            return {"required": {"image": ([path.name for path in comfy.folder.iterdir()],)}}

        def load(self, image: str) -> Any:
            codes = cv2.imread(str(comfy.folder / image), cv2.IMREAD_UNCHANGED)
            picture = torch.from_numpy(codes[..., 2::-1].astype(np.float32) / 255)[None]
            if codes.shape[2] < 4:
                return picture, torch.zeros(1, 64, 64)
            return picture, 1 - torch.from_numpy(codes[..., 3].astype(np.float32) / 255)[None]

    class LoadVideo:
        RETURN_TYPES, FUNCTION = ("VIDEO",), "load"

        @classmethod
        def INPUT_TYPES(cls) -> Any:  # noqa: N802
            return {"required": {"file": ([path.name for path in comfy.folder.iterdir()],)}}

        def load(self, file: str) -> Any:
            return (comfy.folder / file,)

    class GetVideoComponents:
        RETURN_TYPES, FUNCTION = ("IMAGE", "AUDIO", "FLOAT"), "get"

        @classmethod
        def INPUT_TYPES(cls) -> Any:  # noqa: N802
            return {"required": {"video": ("VIDEO",)}}

        def get(self, video: Path) -> Any:
            with av.open(str(video)) as clip:
                frames = [f.to_ndarray(format="rgb24") for f in clip.decode(video=0)]
            images = torch.from_numpy(np.stack(frames[: comfy.frames])).float() / 255
            return images, "sound", 25.0

    class CreateVideo:
        RETURN_TYPES, FUNCTION = ("VIDEO",), "create"

        @classmethod
        def INPUT_TYPES(cls) -> Any:  # noqa: N802
            required = {
                "images": ("IMAGE",),
                "fps": ("FLOAT", {"default": 30.0, "min": 1.0, "max": 120.0}),
            }
            return {"required": required, "optional": {"audio": ("AUDIO",)}}

        def create(self, images: torch.Tensor, fps: float, audio: Any = None) -> Any:
            assert audio == "sound"
            return ((images, Fraction(fps)),)

    class SaveVideo:
        RETURN_TYPES, FUNCTION, OUTPUT_NODE = (), "save", True

        @classmethod
        def INPUT_TYPES(cls) -> Any:  # noqa: N802
            return {
                "required": {
                    "video": ("VIDEO",),
                    "filename_prefix": ("STRING", {"default": "video/ComfyUI"}),
                    "format": (["auto", "mp4"],),
                    "codec": (["auto", "h264"],),
                }
            }

        def save(self, video: Any, filename_prefix: str, format: str, codec: str) -> Any:
            assert filename_prefix
            assert format == codec == "auto"
            comfy.saved.append(video)
            return {"ui": {}, "result": ()}

    kinds = (LoadImage, LoadVideo, GetVideoComponents, CreateVideo, SaveVideo)
    return {kind.__name__: kind for kind in kinds}


@pytest.fixture
def comfy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Comfy]:
    """With vidstyle's nodes loaded."""
    host = Comfy(tmp_path / "input")
    host.folder.mkdir()
    host.nodes |= core_nodes(host)

    class ProgressBar:
        def __init__(self, total: float) -> None:
            self.total = total

        def update_absolute(self, value: float, total: float | None = None) -> None:
            host.progress.append((value, total or self.total))
            host.on_progress()

    root, utils, management = (
        ModuleType(name) for name in ("comfy", "comfy.utils", "comfy.model_management")
    )
    setattr(utils, "ProgressBar", ProgressBar)  # noqa: B010 - modules have no such attribute
    management.__dict__.update(
        get_torch_device=lambda: torch.device("cpu"),
        InterruptProcessingException=Interrupted,
        throw_exception_if_processing_interrupted=host.throw_exception_if_processing_interrupted,
    )
    root.__dict__.update(utils=utils, model_management=management)
    for module in (root, utils, management):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    before = {*sys.modules}
    host.load_custom_node(Path(__file__).parents[3] / "examples/comfyui")
    yield host
    for name in {*sys.modules} - before:
        if "comfyui" in name:
            del sys.modules[name]
