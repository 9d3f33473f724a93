"""The GPU's bench, as far as a CPU goes: what it calls must still be there when a GPU is."""

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools" / "bench_gpu.py"


def test_it_measures_network_and_render(tiny_model: Path) -> None:
    command = [
        *(sys.executable, str(TOOL), "--device", "cpu", "--model", str(tiny_model)),
        *("--size", "64x48", "--batch", "2", "--frames", "3", "--rounds", "1"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("| 64")]
    network, exact, whole = [[cell.strip() for cell in row] for row in rows]
    assert (network[2], exact[2]) == ("as rendered", "fp32")
    assert float(network[-1]) == 0
    assert "temporal" in whole[3]
    assert all(float(row[index]) > 0 for row, index in ((network, 3), (exact, 3), (whole, 2)))
