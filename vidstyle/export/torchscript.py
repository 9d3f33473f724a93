"""TorchScript: runs in PyTorch without Python, and in C++."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch

from vidstyle.export.graph import EXAMPLE_SIZE, Runtime, StyleGraph, example_maps

_MODEL = "vidstyle_model"


def write(graph: StyleGraph, file: BinaryIO, model: str) -> None:
    """Trace the graph.

    Args:
        model: sha256 of the style model's weights, which is stored in the file.
    """
    arguments = (torch.rand(2, 3, *EXAMPLE_SIZE), *example_maps(graph.network.channels))
    # With gradients enabled the network uses only operators that every runtime has.
    with _deprecated(), torch.enable_grad():
        traced = torch.jit.trace(graph, arguments, check_trace=False)
        torch.jit.save(traced, file, _extra_files={_MODEL: model})


def load(path: Path, device: torch.device) -> tuple[Runtime, str]:
    """A runtime, and the sha256 of the model that it was exported from."""
    kept: dict[str, Any] = {_MODEL: ""}
    with _deprecated():
        module = torch.jit.load(str(path), map_location=device, _extra_files=kept)
    # PyTorch returns as bytes what was written as text.
    return (lambda images, maps: module(images, *maps)), kept[_MODEL].decode()


@contextmanager
def _deprecated() -> Iterator[None]:
    """Silence PyTorch's warning that ``torch.export``, a different format, replaces TorchScript."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit", FutureWarning)
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
        yield
