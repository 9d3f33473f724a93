"""Export to ONNX, run by ONNX Runtime. Requires the ``export`` extra."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import torch
from torch import Tensor

from vidstyle.export.graph import INPUTS, OUTPUT, Runtime, StyleGraph
from vidstyle.export.program import program_of
from vidstyle.runtime.extras import needs_extra
from vidstyle.runtime.onnx_runtime import open_session
from vidstyle.runtime.threads import threads_at_hand

if TYPE_CHECKING:
    import onnx

_MODEL = "vidstyle_model"
_DIMENSIONS = {0: "batch", 2: "height", 3: "width"}

log = logging.getLogger(__name__)


def write(graph: StyleGraph, file: BinaryIO, model: str) -> None:
    """
    Args:
        model: sha256 of the style model's weights, which is stored in the file.

    Raises:
        UsageError: the extra is not installed.
    """
    file.write(proto_of(graph, model).SerializeToString())


def proto_of(graph: StyleGraph, model: str) -> "onnx.ModelProto":
    """Like :func:`write`, in memory: one file, including weights."""
    with needs_extra("export", "--format onnx"):
        import onnx
        import onnxscript  # noqa: F401 - the exporter's
    program = torch.onnx.export(
        program_of(graph),
        input_names=list(INPUTS),
        output_names=[OUTPUT],
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    assert program is not None
    proto: onnx.ModelProto = program.model_proto
    for value in (proto.graph.input[0], proto.graph.output[0]):
        for axis, name in _DIMENSIONS.items():
            value.type.tensor_type.shape.dim[axis].dim_param = name
    proto.metadata_props.add(key=_MODEL, value=model)
    return proto


def load(path: Path, device: torch.device) -> tuple[Runtime, str]:
    """A runtime, and the sha256 of the model that it was exported from.

    Raises:
        UsageError: the extra is not installed.
    """
    with needs_extra("export", "ONNX"):
        session = open_session(path, device, threads_at_hand())
    if device.type == "cuda" and "CUDAExecutionProvider" not in session.get_providers():
        log.warning("this ONNX Runtime has no CUDA (onnxruntime-gpu does); it runs on the CPU")
    model = session.get_modelmeta().custom_metadata_map.get(_MODEL, "")

    def run(images: Tensor, maps: Sequence[Tensor]) -> Tensor:
        tensors = zip(INPUTS, (images, *maps), strict=True)
        feed = {name: tensor.float().cpu().contiguous().numpy() for name, tensor in tensors}
        return torch.from_numpy(session.run([OUTPUT], feed)[0]).to(images.device)

    return run, model
