"""README, guides and help: every command in them is taken by its program, and is run.

The commands of a page run one after the other, as a reader goes through it, in a world of tiny
files (``conftest.py``). What cannot run here stands in ``OUTSIDE`` with the reason; it is checked
against the program's options, as are the commands in help texts and in running text.
"""

import importlib
import json
import os
import re
import runpy
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import pytest

from vidstyle.cli import cli
from vidstyle.errors import Cancelled
from vidstyle.media.pattern import is_pattern, pictures
from vidstyle.models import weights

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

#: What tells a command that is not run here, and why it is not.
OUTSIDE = {
    "python3 -m venv .venv": "needs an index of packages; .ci/run runs it",
    ".venv/bin/": "the same",
    "pip install torch ": "needs an index of packages",
    "pip install -e ": "the same",
    "pip install 'vidstyle[": "the same",
    "vidstyle models fetch": "the same",
    "python examples/first_render.py": "tests/examples runs it",
    "OMP_NUM_THREADS=1 python tools/": "measures for minutes, on footage that is not here",
    "python tools/bench_gpu.py": "needs a GPU; tests/tools runs it on a CPU",
    "python tools/fuzz_farm.py": "takes an hour",
    "python tools/simulate_farm.py": "tests/tools tests it",
    "python tools/expect_gpu.py": "the same",
    "vidstyle render shot.mp4 --object person --style a.jpg --object dog": "no dog is at hand",
    "vidstyle paint ": "needs vgg19; tests/cli/test_paint.py runs it",
    "--key painted.0008.png@8": "the same",
    "vidstyle export --format int8": "takes half a minute; tests/export runs it",
    "vidstyle live 0 ": "needs a camera",
    "vidstyle live rtsp:": "needs a camera in the network",
    "bash job.sh": "needs Slurm; tests/cli/test_farm_slurm.py runs such scripts",
    "deadlinecommand ": "needs Deadline",
    "openjd run": "takes a minute; tests/cli/test_farm_job.py runs such jobs",
    "--submit local": "the same",
}  # fmt: skip
SERVERS = ("vidstyle ui", "vidstyle study serve")
#: Options that name a file or folder that a command writes.
WRITTEN = ("-o", "--report", "--json", "--csv", "--html", "--plot", "--matte-out")

_FENCED = re.compile(r"^```[a-z]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`(vidstyle [^`]+)`", re.DOTALL)

needs_light_set = pytest.mark.skipif(
    any(weights.find(name) is None for name in ("yolov3-tiny", "raft-small")),
    reason="no detector; run `vidstyle models fetch`",
)


def fenced(page: Path) -> Iterator[str]:
    """Every command in the fenced blocks of a page, on one line each, without its comment."""
    for block in _FENCED.findall(_PYTHON.sub("", page.read_text())):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            for command in line.split(" && "):
                yield re.sub(r"\s+# .*", "", command)


def inline(page: Path) -> Iterator[str]:
    """The whole commands in its running text."""
    for command in _INLINE.findall(_FENCED.sub("", _PYTHON.sub("", page.read_text()))):
        if "…" not in command and "[" not in command:
            yield " ".join(command.split())


def helps(command: click.Command = cli, name: str = "vidstyle") -> Iterator[tuple[str, str]]:
    """Every command without commands of its own, and its help text."""
    if isinstance(command, click.Group):
        for each in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), each)
            assert found is not None
            yield from helps(found, f"{name} {each}")
    else:
        yield name, command.help or ""


def examples(text: str) -> list[str]:
    """The commands in a help text, each on its line."""
    return [line.strip() for line in text.splitlines() if line.strip().startswith("vidstyle ")]


def is_outside(line: str) -> bool:
    return any(mark in line for mark in OUTSIDE)


def complaint(command: click.Command, words: list[str]) -> str | None:
    """What a program has against these words; None for nothing."""
    try:
        while isinstance(command, click.Group):
            while words and words[0].startswith("-"):
                words = words[1:]
            found = command.get_command(click.Context(command), words[0]) if words else None
            if found is None:
                return f"no command {words[:1]}"
            command, words = found, words[1:]
        command.make_context(command.name, list(words))
    except click.UsageError as error:
        return error.format_message()
    except click.exceptions.Exit:  # an option that tells something, and is done
        return None
    return None


def objection(line: str) -> str | None:
    """What the program that a line calls has against its options; None for nothing, or where
    neither vidstyle nor a tool is called. That a file is not here is no objection."""
    words = [word for word in shlex.split(line, comments=True) if not re.match(r"[A-Z_]+=", word)]
    if words[0] == "vidstyle":
        trouble = complaint(cli, words[1:])
    elif words[0] == "python" and words[1].startswith("tools/"):
        main: click.Command = runpy.run_path(str(ROOT / words[1]))["main"]
        trouble = complaint(main, words[2:])
    else:
        return None
    return None if trouble is None or "does not exist" in trouble else f"{line}: {trouble}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_not_run_is_a_command(page: Path) -> None:
    lines = [*inline(page), *filter(is_outside, fenced(page))]
    assert [trouble for line in lines if (trouble := objection(line))] == []


def test_examples_in_help_texts_are_commands() -> None:
    found = {name: examples(text) for name, text in helps()}
    assert [name for name, each in found.items() if not any(name in line for line in each)] == []
    lines = [line for each in found.values() for line in each]
    assert [trouble for line in lines if (trouble := objection(line))] == []


def test_a_wrong_command_is_seen() -> None:
    assert "no command" in objection("vidstyle varnish in.mp4")
    assert "--hue" in objection("vidstyle render in.mp4 --style a.jpg --hue 3")
    assert "--hue" in objection("OMP_NUM_THREADS=1 python tools/bench_tiles.py 64x64 --hue 3")


def test_reasons_are_for_commands_that_are_there() -> None:
    lines = [line for page in PAGES for line in fenced(page)]
    assert [mark for mark in OUTSIDE if not any(mark in line for line in lines)] == []


@needs_light_set
@pytest.mark.weights
@pytest.mark.parametrize(
    "page", [page for page in PAGES if _PYTHON.search(page.read_text())], ids=lambda page: page.name
)
@pytest.mark.usefixtures("world")
def test_its_python_runs(page: Path) -> None:
    names: dict[str, Any] = {"__name__": page.stem}
    for block in _PYTHON.findall(page.read_text()):
        exec(compile(block, page.name, "exec"), names)


@needs_light_set
@pytest.mark.weights
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_can_be_followed(page: Path, world: Path, vidstyle: Callable[..., Any]) -> None:
    for line in fenced(page):
        if is_outside(line):
            continue
        program, *words = shlex.split(line.replace("/farm", str(world / "farm")))
        if line.startswith(SERVERS):
            serve(words, world)
        elif program == "pip":
            install(words[-1], world)
        else:
            assert program == "vidstyle", line
            done = vidstyle(*words)
            assert done.code == 0, f"{line}\n{done.err}"
        for name in written(words):
            assert pictures(name) if is_pattern(name) else Path(name).exists(), f"{line}: {name}"


def written(words: list[str]) -> Iterator[str]:
    for option, name in pairwise(words):
        # `evaluate --report` is what a render wrote.
        if option in WRITTEN or option.endswith("-html"):
            yield name


def install(package: str, world: Path) -> None:
    """A package of the repository, without its dependencies, beside what is installed."""
    source, site = world / "source", world / "site"
    shutil.copytree(ROOT / package, source)
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", site)
    subprocess.run([sys.executable, "-m", "pip", "install", *map(str, options), source], check=True)
    importlib.invalidate_caches()


def serve(words: list[str], world: Path) -> None:
    """Start a page, let two raters answer if it is a study's, and end it as Ctrl-C does."""
    address = f"http://127.0.0.1:{os.environ['VIDSTYLE_PORT']}"
    with subprocess.Popen([sys.executable, "-m", "vidstyle", *words], cwd=world) as server:
        try:
            wait_for(address, server)
            if words[0] == "study":
                for rater in range(2):
                    answer = {"session": f"{rater:032x}", "trial": 0, "choice": "left"}
                    body = json.dumps(answer | {"milliseconds": 900}).encode()
                    kind = {"Content-Type": "application/json"}
                    asked = urllib.request.Request(f"{address}/answers", body, kind)
                    with urllib.request.urlopen(asked) as response:
                        assert response.status < 300
        finally:
            server.send_signal(signal.SIGINT)
        assert server.wait(30) in (0, Cancelled.exit_code)


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert server.poll() is None
        try:
            urllib.request.urlopen(address).close()
        except urllib.error.URLError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"{address}: not served")
