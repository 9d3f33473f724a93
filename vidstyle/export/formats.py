"""The formats of exported files: their names, loaders and bounds on their differences."""

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
        suffix: of file names.
        load: returns a file's runtime, and the sha256 of the model that it was exported from.
        bound: of the difference from eager PyTorch.
        is_code: whether loading a file may run arbitrary code: PyTorch unpickles and evaluates
            parts of its files, and NVIDIA warns against engines from others.
    """

    suffix: str
    load: Callable[[Path, torch.device], tuple[Runtime, str]]
    bound: Bound
    is_code: bool = False


FORMATS = {
    "torchscript": Format(".pt", torchscript.load, Bound(mean=0.01, largest=0.5), is_code=True),
    "torch-export": Format(".pt2", program.load, Bound(mean=0.01, largest=0.5), is_code=True),
    # Before onnx: a file has the first format whose suffix matches.
    "int8": Format(".int8.onnx", onnx.load, Bound(mean=4, largest=255)),
    "onnx": Format(".onnx", onnx.load, Bound(mean=0.01, largest=0.5)),
    "tensorrt": Format(".engine", tensorrt.load, Bound(mean=0.5, largest=8), is_code=True),
}


def format_of(path: Path) -> str:
    """The format of a file, by its suffix.

    Raises:
        UsageError: unknown suffix.
    """
    for name, format in FORMATS.items():
        if path.name.endswith(format.suffix):
            return name
    suffixes = ", ".join(format.suffix for format in FORMATS.values())
    raise UsageError(f"{path}: the name of an exported network ends in one of {suffixes}")


def load(name: str, path: Path, device: torch.device) -> tuple[Runtime, str]:
    """A runtime, and the sha256 of the model that it was exported from.

    Raises:
        WeightsError: the file is missing or damaged, or can run code and was not exported here.
        UsageError, DeviceError: its runtime is not available on this machine.
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
    # Each runtime raises different exceptions for a damaged file.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise WeightsError(f"{path}: cannot be read ({reason}); export it again") from None
