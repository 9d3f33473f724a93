"""Export a style model for another runtime, checked against eager PyTorch."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import torch

from vidstyle.errors import DeviceError, UsageError
from vidstyle.export import int8, onnx, program, tensorrt, torchscript
from vidstyle.export.formats import FORMATS, load
from vidstyle.export.graph import StyleGraph
from vidstyle.export.own import record
from vidstyle.export.parity import Bound, Difference, compare
from vidstyle.export.probe import Probe, synthetic_probes
from vidstyle.runtime.atomic import replacing
from vidstyle.style.build import build_stylizer, model_identity

CPU = torch.device("cpu")


def export(
    model: str,
    name: str,
    target: Path,
    *,
    calibration: Sequence[Probe] = (),
    trials: Sequence[Probe] = (),
    bound: Bound | None = None,
) -> Difference:
    """Write a style model in one of ``FORMATS``. A file that differs too much is discarded.

    Args:
        model: name or folder.
        calibration: for ``int8``.
        trials: probes to compare on besides synthetic pictures.
        bound: None for the format's own.

    Returns:
        The difference of the file's output from eager PyTorch's.

    Raises:
        QualityError: the difference exceeds the bound.
        UsageError: the format requires calibration, or the ``export`` extra.
        WeightsError: no such model.
        DeviceError: no TensorRT here; the ONNX file that engines are built from is left instead,
            unless there is one already.
        MediaError: the file cannot be written.
    """
    if name == "int8" and not calibration:
        raise UsageError("--format int8: needs frames to measure ranges on; give --calibrate")
    stylizer = build_stylizer(model, CPU)
    graph = StyleGraph(stylizer.network)
    digest = model_digest(model)
    if name == "tensorrt" and (reason := tensorrt.missing()):
        plain = target.with_suffix(FORMATS["onnx"].suffix)
        if plain.exists():
            raise DeviceError(
                f"{target}: not built: {reason}; nor was its graph left, since {plain} is already "
                "there; export that with --format onnx"
            )
        export(model, "onnx", plain)
        raise DeviceError(
            f"{target}: not built: {reason}; its graph is in {plain}: export it again on a machine "
            "with TensorRT, or run it with --backend onnx"
        )
    with replacing(target) as file:
        _write(name, graph, file, digest, calibration)
        file.flush()
        record(Path(file.name))
        runtime, _ = load(name, Path(file.name), CPU)
        difference = compare(
            lambda images, maps: graph(images, *maps),
            runtime,
            [*synthetic_probes(stylizer), *trials],
        )
        (bound or FORMATS[name].bound).check(difference, str(target))
    return difference


def model_digest(model: str) -> str:
    """sha256 of a style model's weights, which ties an exported file to its model."""
    return model_identity(model)


def _write(
    name: str, graph: StyleGraph, file: BinaryIO, digest: str, calibration: Sequence[Probe]
) -> None:
    match name:
        case "torchscript":
            torchscript.write(graph, file, digest)
        case "torch-export":
            program.write(graph, file, digest)
        case "onnx":
            onnx.write(graph, file, digest)
        case "int8":
            int8.write(graph, file, digest, calibration)
        case "tensorrt":
            tensorrt.build(onnx.proto_of(graph, digest).SerializeToString(), file, digest)
