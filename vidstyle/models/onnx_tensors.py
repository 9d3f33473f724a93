"""The weights in an ONNX file, read from the few Protocol Buffers fields that hold them.

The ``onnx`` package reads entire graphs but is an extra; this suffices for ``vidstyle models
fetch``.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vidstyle.errors import WeightsError

# Field numbers of onnx.proto.
_MODEL_GRAPH = 7
_GRAPH_INITIALIZER = 5
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 8, 9
_FLOAT = 1  # TensorProto.DataType

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types


def read_initializers(path: Path) -> dict[str, Tensor]:
    """The float32 initializers of an ONNX file by name, in the file's order.

    Only those stored as raw bytes in the file itself, as PyTorch's exporter does.

    Raises:
        WeightsError: the file cannot be read, or is not an ONNX file.
    """
    tensors: dict[str, Tensor] = {}
    try:
        model = memoryview(path.read_bytes())
        for graph in _messages(model, _MODEL_GRAPH):
            for initializer in _messages(graph, _GRAPH_INITIALIZER):
                name, tensor = _tensor(initializer)
                if tensor is not None:
                    tensors[name] = tensor
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror})") from None
    except (IndexError, ValueError, UnicodeDecodeError):
        tensors = {}
    if not tensors:
        raise WeightsError(f"{path}: no ONNX file with weights in it; fetch it again")
    return tensors


def _tensor(message: memoryview) -> tuple[str, Tensor | None]:
    """Name and values of a TensorProto; None for types other than float32."""
    name, kind, raw = "", 0, memoryview(b"")
    shape: list[int] = []
    for field, value in _fields(message):
        if field == _TENSOR_DIMS:
            # A single dimension, or all of them packed.
            shape += [value] if isinstance(value, int) else _varints(value)
        elif field == _TENSOR_TYPE and isinstance(value, int):
            kind = value
        elif field == _TENSOR_NAME and not isinstance(value, int):
            name = bytes(value).decode()
        elif field == _TENSOR_RAW and not isinstance(value, int):
            raw = value
    if kind != _FLOAT or not raw:
        return name, None
    # ONNX is little-endian on every machine.
    values = np.frombuffer(raw, "<f4").astype(np.float32)
    return name, torch.from_numpy(values.reshape(shape))


def _messages(message: memoryview, number: int) -> Iterator[memoryview]:
    for field, value in _fields(message):
        if field == number and not isinstance(value, int):
            yield value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Field number and value: an integer, or bytes for everything else."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire = key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if wire == _BYTES:
            size, at = _varint(message, at)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError(f"wire type {wire}")
        if at + size > len(message):
            raise ValueError("a field reaches beyond its message")
        yield key >> 3, message[at : at + size]
        at += size


def _varints(message: memoryview) -> list[int]:
    numbers, at = [], 0
    while at < len(message):
        number, at = _varint(message, at)
        numbers.append(number)
    return numbers


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number stored as seven bits per byte, lowest first, and the offset after it."""
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at
