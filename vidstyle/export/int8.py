"""ONNX in 8 bits: static quantization of the decoder's residual convolutions, which dominate run
time.

The rest stays in floating point: the transform to bands and back; the encoder, for the map
amplifies its errors; and the decoder's first residual convolution, which gets what the map makes of
a style that calibration has not seen. With these in 8 bits too, micro's frames differ by up to 142
levels (37 dB) rather than 39 (45 dB).
"""

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from vidstyle.export import onnx as float_onnx
from vidstyle.export.graph import INPUTS, MAPS, StyleGraph
from vidstyle.export.probe import Probe
from vidstyle.runtime.extras import needs_extra
from vidstyle.runtime.onnx_runtime import import_onnxruntime
from vidstyle.runtime.scratch import temporary_folder


def write(graph: StyleGraph, file: BinaryIO, model: str, calibration: Sequence[Probe]) -> None:
    """
    Args:
        model: sha256 of the style model's weights, which is stored in the file.
        calibration: probes that activation ranges are measured on; at least one.

    Raises:
        UsageError: the ``export`` extra is not installed.
    """
    with needs_extra("export", "--format int8"):
        import onnx

        import_onnxruntime()
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    proto = float_onnx.proto_of(graph, model)
    # PyTorch's exporter has already inferred shapes and folded constants: nothing to preprocess.
    proto.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    with temporary_folder() as folder:
        plain, quantized = folder / "plain.onnx", folder / "int8.onnx"
        onnx.save(proto, plain)
        quantize_static(
            plain,
            quantized,
            _reader(calibration),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=_decoders_residuals(proto),
            # Seven bits of weight would do only where a CPU has no VNNI and sums saturate.
            reduce_range=False,
        )
        file.write(quantized.read_bytes())


def _decoders_residuals(proto: Any) -> list[str]:
    """Names of the 3×3 convolutions behind the map that have as many output as input channels,
    except the first."""
    square = {
        weight.name
        for weight in proto.graph.initializer
        if len(weight.dims) == 4 and weight.dims[0] == weight.dims[1] and weight.dims[2] == 3
    }
    moved, found = set(MAPS), []
    for node in proto.graph.node:  # in topological order
        if moved.intersection(node.input):
            moved.update(node.output)
            if node.op_type == "Conv" and node.input[1] in square:
                found.append(node.name)
    return found[1:]


def _reader(probes: Sequence[Probe]) -> Any:
    """The probes for ONNX Runtime's calibration: one feed per call, then None."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._feeds = self._all()

        @staticmethod
        def _all() -> Iterator[dict[str, Any]]:
            for probe in probes:
                tensors = zip(INPUTS, (probe.images, *probe.maps), strict=True)
                yield {name: tensor.contiguous().numpy() for name, tensor in tensors}

        def get_next(self) -> dict[str, Any] | None:
            return next(self._feeds, None)

    return Reader()
