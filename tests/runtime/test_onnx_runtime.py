"""ONNX Runtime comes without its telemetry."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def test_it_leaves_nothing_behind(tmp_path: Path) -> None:
    """Its reports, where they are on, leave files in the temporary folder and the cache."""
    pytest.importorskip("onnxruntime")
    # A continuous integration is exempt from them.
    environment = {k: v for k, v in os.environ.items() if k not in ("CI", "GITHUB_ACTIONS")}
    environment |= {"TMPDIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    code = "from vidstyle.runtime.onnx_runtime import import_onnxruntime; import_onnxruntime()"
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert not list(tmp_path.iterdir())
