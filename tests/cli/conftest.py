"""Calling the command line as the console script does, in this process."""

import logging
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

from vidstyle.cli import main


@dataclass(frozen=True)
class Outcome:
    """What a call came to: its exit code, and what it said on both streams."""

    code: int
    out: str
    err: str


@pytest.fixture
def vidstyle(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Outcome]]:
    """``vidstyle(*arguments)``. The streams are caught at their file descriptors, so that what
    a C library prints is seen too; log lines go to pytest."""
    logger = logging.getLogger("vidstyle")
    level = logger.level
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["vidstyle", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capfd.readouterr()
        return Outcome(stop.value.code, out, err)

    yield call
    logger.setLevel(level)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def packets() -> Callable[[Path], list[tuple[int, int | None, bytes]]]:
    """Every packet of a file as it lies there: its stream, time and bytes."""

    def read(path: Path) -> list[tuple[int, int | None, bytes]]:
        with av.open(str(path)) as container:
            return [(p.stream.index, p.pts, bytes(p)) for p in container.demux() if p.size]

    return read
