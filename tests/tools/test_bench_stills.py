"""The bench of stills, on few pictures: it ends a run, resumes it and finds all pictures."""

import re
import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools/bench_stills.py"


def test_a_run_is_ended_and_resumed(tiny_model: Path) -> None:
    options = ("--count", "20", "--size", "64x48", "--model", str(tiny_model))
    command = [sys.executable, str(TOOL), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    row = r"(\d+) pictures of 64x48: (\d+) after resuming, ([\d.]+) a second, peak (\d+) MiB"
    rows = [tuple(map(float, found)) for found in re.findall(row, done.stdout)]
    assert [count for count, *_ in rows] == [20, 200]
    assert all(0 < left <= count / 2 and pace > 0 and peak > 50 for count, left, pace, peak in rows)
