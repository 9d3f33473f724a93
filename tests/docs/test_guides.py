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
        words = shlex.split(line, comments=True)[1:]
        trouble = complaint(words[: words.index("&&")] if "&&" in words else words)
        # The files that guides name are not here.
        assert trouble is None or "does not exist" in trouble, line


def complaint(words: list[str]) -> str | None:
    """What the command line has against these words; None for nothing."""
    command: click.Command = cli
    try:
        while isinstance(command, click.Group):
            found = command.get_command(click.Context(command), words[0])
            if found is None:
                return f"no command {words[0]}"
            command, words = found, words[1:]
        command.make_context(command.name, list(words))
    except click.UsageError as error:
        return error.format_message()
    except click.exceptions.Exit:  # an option that tells something, and is done
        return None
    return None


def test_a_wrong_command_is_seen() -> None:
    assert "no command" in complaint(["paint", "in.mp4"])
    assert "--hue" in complaint(["render", "in.mp4", "--style", "a.jpg", "--hue", "3"])


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
    assert all(
        name in made.read_text().replace("\\-", "-") for name in ("evaluate", "--style", "segment")
    )
