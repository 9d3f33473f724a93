"""A page that is served."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import IO, Protocol

import pytest

from vidstyle.options import RenderOptions
from vidstyle.ui.desk import Desk
from vidstyle.ui.results import Results
from vidstyle.ui.selection import Selection, Wish

#: Seconds within which a server is up, or has ended.
PATIENCE = 120


@pytest.fixture
def options(tiny_model) -> RenderOptions:
    """Of a fast render."""
    return RenderOptions(model=str(tiny_model), device="cpu", segmenter="grabcut")


@pytest.fixture
def desk(shot) -> Iterator[Desk]:
    """With the generated shot on it."""
    desk = Desk(shot.clip, most_frames=100, most_pixels=1 << 24)
    yield desk
    desk.clear()


@pytest.fixture
def results(desk, options, style_picture) -> Results:
    """Frames 2 to 5 of it, boxed and restyled."""
    boxed = Selection("box").clicked(30, 20, 2).clicked(70, 90, 2)
    part = replace(options, first=2, last=5)
    *_, results = desk.render([Wish(boxed, style_picture)], part)
    assert isinstance(results, Results)
    return results


class Served(Protocol):
    """``with served(*arguments, **environment) as address``: a page's address."""

    def __call__(self, *arguments: object, **environment: str) -> AbstractContextManager[str]: ...


@pytest.fixture(scope="session")
def served() -> Served:
    """Serves a page by a process of its own, which a SIGTERM ends."""
    return _served


@contextmanager
def _served(*arguments: object, **environment: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vidstyle", "ui", "--port", str(port), *map(str, arguments)]
    # Into a file: a pipe that nobody empties stops the server once it is full. Appending, since
    # both ends share one position.
    with (
        tempfile.TemporaryFile("a+") as log,
        subprocess.Popen(command, stderr=log, env=os.environ | environment) as server,
    ):
        try:
            _wait_for(server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            try:
                server.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                server.kill()
                raise


def _wait_for(server: subprocess.Popen[bytes], log: IO[str]) -> None:
    said, deadline = "", time.monotonic() + PATIENCE
    while "page: http" not in said:
        if server.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the page was not served: {said}")
        time.sleep(0.1)
        log.seek(0)
        said = log.read()
