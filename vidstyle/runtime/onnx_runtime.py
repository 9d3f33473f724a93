"""ONNX Runtime, as all that use it import it: without its telemetry.

From 1.29 its builds for Linux report every session to their maker unless they are told not to, and
leave files of their own in the temporary folder. Render nodes have no internet, and what is
rendered on them is nobody else's business.
"""

import os
from types import ModuleType


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
