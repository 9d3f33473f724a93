"""ONNX Runtime, as all that use it import it: without its telemetry.

From 1.29 its builds for Linux report every session to their maker unless they are told not to, and
leave files of their own in the temporary folder. Render nodes have no internet, and what is
rendered on them stays on the machine.
"""

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import torch


def import_onnxruntime() -> ModuleType:
    """
    Raises:
        ModuleNotFoundError: it is not installed.
    """
    # It is read once, when the library is loaded; whoever wants the reports can set it to 0.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    runtime: ModuleType = onnxruntime
    return runtime


def open_session(path: Path, device: torch.device, threads: int) -> Any:
    """A network in ONNX, on CUDA where ``device`` is and the library can.

    Args:
        threads: of each of its operations.

    Raises:
        ModuleNotFoundError: it is not installed.
        Exception: the file cannot be read; its errors share no class but this.
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    if device.type == "cuda" and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        providers.insert(0, "CUDAExecutionProvider")
    return onnxruntime.InferenceSession(str(path), options, providers=providers)
