"""Running a job template on this machine, with Open Job Description's own runner."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from vidstyle.errors import MediaError
from vidstyle.farm.plan import Plan
from vidstyle.farm.template import ANALYSE, JOIN, RENDER, SEGMENTS
from vidstyle.words import counted

log = logging.getLogger(__name__)


def run_here(plan: Plan, template: Path, values: Path, workers: int) -> None:
    """Run a job's steps in sequence, the tasks of the second on several workers.

    Each worker is a session of ``openjd run``, whose output goes to standard error.

    Args:
        template, values: files of the plan's template and of its parameters without defaults.
        workers: maximum number of concurrent sessions.

    Raises:
        MediaError: a step failed.
    """
    chunks = [{SEGMENTS: f"{first}-{last}"} for first, last in plan.tasks()]
    shares = [chunks[n::workers] for n in range(min(workers, len(chunks)))]
    for step, sessions in ((ANALYSE, [None]), (RENDER, shares), (JOIN, [None])):
        log.info("step %s, %s at a time", step, counted(len(sessions), "session"))
        _together(_command(template, values, step, share) for share in sessions)


def _command(
    template: Path, values: Path, step: str, tasks: list[dict[str, str]] | None
) -> list[str]:
    command = [sys.executable, "-m", "openjd", "run", str(template), "--step", step]
    command += ["--no-run-dependencies", "--job-param", f"file://{values}"]
    return command if tasks is None else [*command, "--tasks", json.dumps(tasks)]


def _together(commands: Iterable[list[str]]) -> None:
    """Run commands concurrently; if one fails or this process is stopped, stop the others."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            running.append(subprocess.Popen(command, stdout=sys.stderr))
        for process in running:
            if process.wait():
                raise MediaError("a step of the job failed; its log above says why")
    finally:
        for process in running:
            if process.poll() is None:
                process.terminate()
        for process in running:
            process.wait()
