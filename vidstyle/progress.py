"""Telling whoever waits how far a run is."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from tqdm import tqdm

from vidstyle.errors import Cancelled, VidstyleError


class Progress(Protocol):
    """One stage after the other, each with a known number of steps."""

    def stage(self, name: str, total: int) -> None:
        """Begin a stage of ``total`` steps; the stage before is over."""
        ...

    def advance(self, steps: int) -> None:
        """``steps`` more are done."""
        ...

    def close(self) -> None:
        """The last stage is over."""
        ...


def build_progress(name: str) -> Progress:
    """``auto`` draws bars on a terminal and is quiet elsewhere: the log tells the stages."""
    if name == "auto":
        name = "tqdm" if sys.stderr.isatty() else "none"
    match name:
        case "tqdm":
            return Bars()
        case "json":
            return Lines(_as_json, _failed_as_json)
        case "openjd":
            return Lines(_as_openjd, _failed_as_openjd)
    return Silence()


@contextmanager
def telling(name: str) -> Iterator[Progress]:
    """As :func:`build_progress`, closed at the end; a failure is told to who reads lines."""
    progress = build_progress(name)
    try:
        yield progress
    except (VidstyleError, Cancelled) as error:
        if isinstance(progress, Lines):
            progress.fail(" ".join(str(error).split()))
        raise
    finally:
        progress.close()


def say_no_more(stream: TextIO) -> None:
    """Whoever read a stream has gone: what more is said goes nowhere. A run does not depend on
    being watched."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Silence:
    """Says nothing."""

    def stage(self, name: str, total: int) -> None: ...

    def advance(self, steps: int) -> None: ...

    def close(self) -> None: ...


class Bars:
    """A bar for each stage, on standard error."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def stage(self, name: str, total: int) -> None:
        self.close()
        self._bar = tqdm(total=total, desc=f"{name:>10}", unit="frame", dynamic_ncols=True)

    def advance(self, steps: int) -> None:
        if self._bar is not None:
            self._bar.update(steps)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class Lines:
    """A line on standard output at each stage and at most twice a second."""

    def __init__(
        self, form: "LineForm", failed: Callable[[str], str], out: TextIO | None = None
    ) -> None:
        self._form, self._failed, self._out = form, failed, out or sys.stdout
        self._name, self._total, self._done, self._said = "", 0, 0, 0.0

    def stage(self, name: str, total: int) -> None:
        self._name, self._total, self._done = name, total, 0
        self._say()

    def advance(self, steps: int) -> None:
        self._done += steps
        if self._done >= self._total or time.monotonic() - self._said > 0.5:
            self._say()

    def close(self) -> None: ...

    def fail(self, message: str) -> None:
        """The run has failed; ``message`` is one line."""
        print(self._failed(message), file=self._out, flush=True)

    def _say(self) -> None:
        self._said = time.monotonic()
        try:
            print(self._form(self._name, self._done, self._total), file=self._out, flush=True)
        except BrokenPipeError:
            say_no_more(self._out)


class LineForm(Protocol):
    def __call__(self, name: str, done: int, total: int) -> str: ...


def _as_json(name: str, done: int, total: int) -> str:
    return json.dumps({"stage": name, "done": done, "total": total})


def _as_openjd(name: str, done: int, total: int) -> str:
    """Open Job Description's progress messages, which a farm reads from standard output."""
    percent = 100 * done / total if total else 100
    return f"openjd_status: {name} {done}/{total}\nopenjd_progress: {percent:.1f}"


def _failed_as_json(message: str) -> str:
    return json.dumps({"failed": message})


def _failed_as_openjd(message: str) -> str:
    return f"openjd_fail: {message}"
