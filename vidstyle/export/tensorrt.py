"""TensorRT engines, specific to the GPU that built them. Requires NVIDIA's ``tensorrt``."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from vidstyle.errors import DeviceError, WeightsError
from vidstyle.export.graph import EXAMPLE_SIZE, INPUTS, OUTPUT, Runtime

#: Sizes (N, H, W) that an engine is built for: minimum, optimum, maximum.
PROFILE = ((1, *EXAMPLE_SIZE), (8, 544, 960), (16, 2160, 4096))


def missing() -> str | None:
    """What this machine lacks to build or run an engine; None if nothing."""
    if importlib.util.find_spec("tensorrt") is None:
        return "the package tensorrt is not installed"
    return None if torch.cuda.is_available() else "there is no CUDA device"


def build(proto: bytes, file: BinaryIO, model: str) -> None:
    """Build an engine in half precision.

    Args:
        proto: the graph in ONNX.
        model: sha256 of the style model's weights, which becomes the engine's name.

    Raises:
        DeviceError: see :func:`missing`, or TensorRT rejects the graph.
    """
    trt = _tensorrt()
    logger = trt.Logger(trt.Logger.WARNING)
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    network.name = model
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(proto):
        raise DeviceError(
            f"TensorRT cannot read the graph: {parser.get_error(0)}; use --format onnx"
        )
    profile = builder.create_optimization_profile()
    profile.set_shape(INPUTS[0], *((count, 3, height, width) for count, height, width in PROFILE))
    config = builder.create_builder_config()
    config.add_optimization_profile(profile)
    config.set_flag(trt.BuilderFlag.FP16)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise DeviceError("TensorRT built no engine, see its log above; use --format onnx")
    file.write(engine)


def load(path: Path, device: torch.device) -> tuple[Runtime, str]:
    """A runtime, and the sha256 of the model that it was exported from.

    Raises:
        DeviceError: see :func:`missing`.
        WeightsError: the engine was built for another GPU or version.
    """
    trt = _tensorrt()
    engine = trt.Runtime(trt.Logger(trt.Logger.WARNING)).deserialize_cuda_engine(path.read_bytes())
    if engine is None:
        raise WeightsError(f"{path}: built for another GPU or TensorRT; export it again here")
    context = engine.create_execution_context()
    device = device if device.type == "cuda" else torch.device("cuda")

    def run(images: Tensor, maps: Sequence[Tensor]) -> Tensor:
        result = torch.empty(images.shape, device=device)
        inputs = zip(INPUTS, (images, *maps), strict=True)
        tensors = {name: tensor.float().to(device).contiguous() for name, tensor in inputs}
        for name, tensor in tensors.items():
            context.set_input_shape(name, tuple(tensor.shape))
        for name, tensor in {**tensors, OUTPUT: result}.items():
            context.set_tensor_address(name, tensor.data_ptr())
        stream = torch.cuda.current_stream(device)
        if not context.execute_async_v3(stream.cuda_stream):
            raise DeviceError(
                f"{path}: the engine does not accept {tuple(images.shape)}; export it again"
            )
        return result.to(images.device)

    return run, engine.name


def _tensorrt() -> Any:
    if reason := missing():
        raise DeviceError(f"TensorRT: {reason}; use --format onnx and --backend onnx")
    import tensorrt

    return tensorrt
