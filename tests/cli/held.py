"""Runs command lines that stop and wait at a given point, to be interrupted there.

Each runs in a fork of this process, which has imported what takes long; so the signal, the end of
the interpreter and its exit code are real. Reads a JSON object a line on standard input: ``argv``,
``at`` (a stage of the progress, or a function by its full name), ``wait`` (whether it waits there;
else it goes on), ``folder`` (takes its temporary files and what it says). Answers in lines:
``pid N``, ``held``, ``exit N``.
"""

import functools
import importlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from vidstyle import cli
from vidstyle.runtime import progress


def hold(wait: bool, told: list[None]) -> None:
    """Tell that the point is reached, and wait: to be interrupted, or for the end of the folder of
    temporary files."""
    if not told:
        told.append(None)
        os.write(answers, b"held\n")
    # A signal that strikes just before a wait is noticed by Python when that is over: these waits
    # are short, as those for the next frame are.
    while wait and Path(tempfile.gettempdir()).is_dir():
        time.sleep(0.05)


class Held(progress.Silence):
    """Holds at the first step of a stage."""

    def __init__(self, at: str, wait: bool, told: list[None]) -> None:
        self._at, self._wait, self._told = at, wait, told
        self._stage = ""

    def stage(self, name: str, total: int) -> None:  # noqa: ARG002
        self._stage = name

    def advance(self, steps: int) -> None:
        if steps and self._stage == self._at:
            hold(self._wait, self._told)


def run(argv: list[str], at: str, wait: bool, folder: str) -> None:
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(Path(folder, name), os.O_WRONLY | os.O_CREAT), number)
    temporary = Path(folder, "tmp")
    temporary.mkdir()
    tempfile.tempdir = str(temporary)
    told: list[None] = []
    if "." in at:
        module, _, path = at.partition(":")
        *owners, name = path.split(".")
        owner = functools.reduce(getattr, owners, importlib.import_module(module))
        setattr(owner, name, lambda *_, **__: hold(wait, told))
    progress.build_progress = lambda _: Held(at, wait, told)
    sys.argv = ["vidstyle", *argv]
    cli.main()


answers = os.dup(1)
for line in sys.stdin:
    if not (pid := os.fork()):
        run(**json.loads(line))
    os.write(answers, f"pid {pid}\n".encode())
    _, status = os.waitpid(pid, 0)
    os.write(answers, f"exit {os.waitstatus_to_exitcode(status)}\n".encode())
