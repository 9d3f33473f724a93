"""The formats of exported files: their names, how they are read, how far they may be off."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from vidstyle.errors import UsageError, VidstyleError, WeightsError
from vidstyle.export import onnx, program, tensorrt, torchscript
from vidstyle.export.graph import Runtime
from vidstyle.export.own import is_own
from vidstyle.export.parity import Bound


@dataclass(frozen=True)
class Format:
    """
    Attributes:
        suffix: of its files' names.
        load: a file to a runtime, and the sha256 of the model that it was exported from.
        bound: of the difference from eager PyTorch.
        is_code: whether loading a file may run what its maker wanted: PyTorch unpickles and
            evaluates parts of its own, and NVIDIA warns of engines of others.
    """

    suffix: str
    load: Callable[[Path, torch.device], tuple[Runtime, str]]
    bound: Bound
    is_code: bool = False


FORMATS = {
    "torchscript": Format(".pt", torchscript.load, Bound(mean=0.01, largest=0.5), is_code=True),
    "torch-export": Format(".pt2", program.load, Bound(mean=0.01, largest=0.5), is_code=True),
    # Before onnx: a file is of the first format whose suffix it has.
    "int8": Format(".int8.onnx", onnx.load, Bound(mean=4, largest=255)),
    "onnx": Format(".onnx", onnx.load, Bound(mean=0.01, largest=0.5)),
    "tensorrt": Format(".engine", tensorrt.load, Bound(mean=0.5, largest=8), is_code=True),
}


def format_of(path: Path) -> str:
    """By the name's suffix.

    Raises:
        UsageError: it has none of them.
    """
    for name, format in FORMATS.items():
        if path.name.endswith(format.suffix):
            return name
    suffixes = ", ".join(format.suffix for format in FORMATS.values())
    raise UsageError(f"{path}: the name of an exported network ends in one of {suffixes}")


def load(name: str, path: Path, device: torch.device) -> tuple[Runtime, str]:
    """A runtime, and the sha256 of the model that it was exported from.

    Raises:
        WeightsError: the file is missing or damaged, or it is code that was not exported here.
        UsageError, DeviceError: what runs it is not on this machine.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: no such file; make it with vidstyle export")
    if FORMATS[name].is_code and not is_own(path):
        raise WeightsError(
            f"{path}: not exported by this user on this machine, and such a file can run code; "
            "export it here with vidstyle export, or take an .onnx file"
        )
    try:
        return FORMATS[name].load(path, device)
    except VidstyleError:
        raise
    # Each runtime has exceptions of its own for a damaged file.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise WeightsError(f"{path}: cannot be read ({reason}); export it again") from None
