"""The one way to import ONNX Runtime: without its telemetry.

Since 1.29 its Linux builds report every session to the vendor unless told not to, and leave files
of their own in the temporary folder. Render nodes have no internet, and what is rendered on them
stays on the machine.
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
    # Read once, when the library is loaded; set it to 0 to allow the reports.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    runtime: ModuleType = onnxruntime
    return runtime


def open_session(path: Path, device: torch.device, threads: int) -> Any:
    """A network in ONNX, on CUDA if ``device`` is and the library supports it.

    Args:
        threads: per operation.

    Raises:
        ModuleNotFoundError: it is not installed.
        Exception: the file cannot be read; its errors share no other class.
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    if device.type == "cuda" and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        providers.insert(0, "CUDAExecutionProvider")
    return onnxruntime.InferenceSession(str(path), options, providers=providers)
