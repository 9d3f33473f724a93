"""README and guides: they build, and every command in them is one that vidstyle takes."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from vidstyle.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

_FENCED = re.compile(r"^```[a-z]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> Iterator[str]:
    """Every whole vidstyle command in the fenced blocks of a page, on one line each."""
    for block in _FENCED.findall(page.read_text()):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            if line.startswith("vidstyle ") and "…" not in line:
                yield line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_is_one(page: Path) -> None:
    for line in commands(page):
        command: click.Command = cli
        words = shlex.split(line, comments=True)[1:]
        words = words[: words.index("&&")] if "&&" in words else words
        while isinstance(command, click.Group):
            assert words[0] in command.commands, line
            command = command.commands[words.pop(0)]
        try:
            command.make_context(command.name, words)
        except click.BadParameter as error:
            assert "does not exist" in error.format_message(), line
        except click.UsageError as error:
            pytest.fail(f"{line}: {error.format_message()}")
        except click.exceptions.Exit as done:
            assert done.exit_code == 0, line


def test_there_are_commands_in_every_guide() -> None:
    for page in PAGES:
        if page.name not in ("index.md", "developer.md"):
            assert any(commands(page)), page


@pytest.mark.parametrize("form", ["html", "man"])
def test_guides_build(form: str, tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", form, "docs", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = tmp_path / ("commands.html" if form == "html" else "vidstyle.1")
    assert all(name in made.read_text() for name in ("evaluate", "--style", "segment"))
