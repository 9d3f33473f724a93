"""The farm under faults and nonsense, at a small scale: ``tools/`` does more of both."""

import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).parents[2] / "tools"


def run(tool: str, *arguments: str) -> str:
    """What a tool printed; it must end with exit code 0."""
    command = [sys.executable, str(TOOLS / tool), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_after_each_kind_of_fault_the_result_is_right(tiny_model: Path) -> None:
    said = run("fault_campaign.py", "--faults", "10", "--model", str(tiny_model))
    assert "10 faults, 0 wrong" in said


def test_nonsense_is_refused_in_one_line() -> None:
    assert "200 inputs, none wrong" in run("fuzz_farm.py", "--inputs", "200")
