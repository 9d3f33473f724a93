"""Progress reports of a run."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TextIO

from tqdm import tqdm

from vidstyle.errors import Cancelled


class Progress(Protocol):
    """Successive stages, each with a known number of steps."""

    def outline(self, stages: Sequence[str]) -> None:
        """Begin a run of these stages, in order. Without it each stage is a run of its own."""
        ...

    def stage(self, name: str, total: int) -> None:
        """Begin a stage of ``total`` steps; this ends the previous one."""
        ...

    def advance(self, steps: int) -> None:
        """``steps`` more are done; 0 only checks whether the run is to go on, during a wait or a
        long step."""
        ...

    def close(self) -> None:
        """The last stage is over."""
        ...


def build_progress(name: str) -> Progress:
    """``auto`` draws bars on a terminal and is quiet elsewhere: the log names the stages."""
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
def displayed(name: str) -> Iterator[Progress]:
    """As :func:`build_progress`, closed at the end; where progress is lines, a failure is one."""
    progress = build_progress(name)
    try:
        yield progress
    except (Exception, Cancelled) as error:
        if isinstance(progress, Lines):
            progress.fail(" ".join(str(error).split()))
        raise
    finally:
        progress.close()


def say_no_more(stream: TextIO) -> None:
    """Discard further output to a stream whose reader has gone: a run does not depend on being
    watched."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


#: Approximate relative durations of the stages of a run, on a CPU.
_SHARES = {
    "cuts": 1,
    "objects": 5,
    "mattes": 10,
    "statistics": 3,
    "render": 12,
    "evaluate": 20,
    "paint": 30,
}


class Course:
    """Progress of a run of several stages."""

    def __init__(self) -> None:
        self._ahead: list[str] = []
        self._passed = self._begun = 0.0
        self.name, self.total, self.done = "", 0, 0
        self.outline([])

    def outline(self, stages: Sequence[str]) -> None:
        """See :class:`Progress`."""
        self._ahead, self._passed, self.name = list(stages), 0.0, ""
        self._begun = time.monotonic()

    def stage(self, name: str, total: int) -> None:
        """See :class:`Progress`."""
        if self.name:
            self._passed += _share(self.name)
        if name in self._ahead:
            while (passed := self._ahead.pop(0)) != name:
                self._passed += _share(passed)
        elif not self._ahead:
            self.outline([])
        self.name, self.total, self.done = name, total, 0

    def advance(self, steps: int) -> None:
        """See :class:`Progress`."""
        self.done += steps

    @property
    def fraction(self) -> float:
        """Fraction of the run that is done, 0 to 1."""
        share = _share(self.name) if self.name else 0
        here = share * min(1.0, self.done / self.total) if self.total else 0.0
        return (self._passed + here) / (self._passed + share + sum(map(_share, self._ahead)) or 1)

    @property
    def seconds_left(self) -> float | None:
        """Estimated; None while there is nothing to go by."""
        spent, fraction = time.monotonic() - self._begun, self.fraction
        return spent / fraction - spent if fraction else None


def _share(stage: str) -> float:
    return _SHARES.get(stage, 1)


class CancelToken:
    """Cancels a run in another thread, which leaves no output."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def cancel(self) -> None:
        """End the run at its next step."""
        self._asked.set()

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called."""
        return self._asked.is_set()

    def check(self) -> None:
        """
        Raises:
            Cancelled: after :meth:`cancel`.
        """
        if self.cancelled:
            raise Cancelled("cancelled")


@dataclass(frozen=True)
class Step:
    """Progress of a run.

    Attributes:
        stage: ``cuts``, ``mattes``, ``keys``, ``statistics``, ``render``, ``evaluate`` or
            ``paint``.
        done, total: frames of this stage; rounds for ``paint``.
        fraction: of the whole run, 0 to 1.
        seconds_left: of the whole run, estimated; None until it can be.
    """

    stage: str
    done: int
    total: int
    fraction: float
    seconds_left: float | None


OnProgress = Callable[[Step], None]


class Reporting:
    """Calls a function at each step; ends the run when its token is cancelled.

    Attributes:
        course: how far the run is now.
    """

    def __init__(self, on_progress: OnProgress | None, token: CancelToken | None) -> None:
        self._on_progress, self._token = on_progress, token
        self.course = Course()

    def outline(self, stages: Sequence[str]) -> None:
        """See :class:`Progress`."""
        self.course.outline(stages)

    def stage(self, name: str, total: int) -> None:
        """See :class:`Progress`."""
        self.course.stage(name, total)
        self.advance(0)
        self._tell()

    def advance(self, steps: int) -> None:
        """See :class:`Progress`.

        Raises:
            Cancelled: see :class:`CancelToken`.
        """
        if self._token is not None:
            self._token.check()
        if steps:
            self.course.advance(steps)
            self._tell()

    def _tell(self) -> None:
        if self._on_progress is not None:
            course = self.course
            self._on_progress(
                Step(course.name, course.done, course.total, course.fraction, course.seconds_left)
            )

    def close(self) -> None:
        """See :class:`Progress`."""


class Silence:
    """Reports nothing."""

    def outline(self, stages: Sequence[str]) -> None: ...

    def stage(self, name: str, total: int) -> None: ...

    def advance(self, steps: int) -> None: ...

    def close(self) -> None: ...


class Bars:
    """A bar for the whole run, on standard error, with the stage and the time left."""

    def __init__(self) -> None:
        self._course = Course()
        self._bar: tqdm | None = None

    def outline(self, stages: Sequence[str]) -> None:
        self.close()
        self._course.outline(stages)

    def stage(self, name: str, total: int) -> None:
        self._course.stage(name, total)
        if self._bar is None:
            self._bar = tqdm(
                total=1.0,
                dynamic_ncols=True,
                bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}{postfix}",
            )
        self._bar.set_description_str(f"{name:>10}", refresh=False)
        self._draw()
        self._bar.refresh()

    def advance(self, steps: int) -> None:
        self._course.advance(steps)
        self._draw()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _draw(self) -> None:
        if self._bar is not None:
            left = self._course.seconds_left
            told = "" if left is None else f"about {minutes(left)} left"
            self._bar.set_postfix_str(told, refresh=False)
            self._bar.update(max(0.0, self._course.fraction - self._bar.n))


def minutes(seconds: float) -> str:
    """``1:05``."""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02}"


class Lines:
    """A line on standard output at each stage and at most twice a second."""

    def __init__(
        self, form: "LineForm", failed: Callable[[str], str], out: TextIO | None = None
    ) -> None:
        self._form, self._failed, self._out = form, failed, out or sys.stdout
        self._name, self._total, self._done, self._said = "", 0, 0, 0.0

    def outline(self, stages: Sequence[str]) -> None: ...

    def stage(self, name: str, total: int) -> None:
        self._name, self._total, self._done = name, total, 0
        self._say()

    def advance(self, steps: int) -> None:
        self._done += steps
        due = self._done >= self._total or time.monotonic() - self._said > 0.5
        if steps and due:
            self._say()

    def close(self) -> None: ...

    def fail(self, message: str) -> None:
        """The run has failed; ``message`` is one line."""
        self._print(self._failed(message))

    def _say(self) -> None:
        self._said = time.monotonic()
        self._print(self._form(self._name, self._done, self._total))

    def _print(self, line: str) -> None:
        try:
            print(line, file=self._out, flush=True)
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
