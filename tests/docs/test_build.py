"""The guides build, with a reference of all commands."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from vidstyle.cli import cli

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("form", ["html", "man"])
def test_guides_build(form: str, tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", form, "docs", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in cli.list_commands(click.Context(cli)):
        made = tmp_path / (f"commands/{name}.html" if form == "html" else "vidstyle.1")
        told = made.read_text().replace("\\-", "-")
        assert f"vidstyle {name}" in told
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        for option in [each for each in command.params if isinstance(each, click.Option)]:
            assert option.hidden or option.opts[-1] in told, option.opts
