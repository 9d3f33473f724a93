"""The guides build, with a reference of all commands."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("form", ["html", "man"])
def test_guides_build(form: str, tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", form, "docs", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = tmp_path / ("commands.html" if form == "html" else "vidstyle.1")
    assert all(
        name in made.read_text().replace("\\-", "-") for name in ("evaluate", "--style", "segment")
    )
