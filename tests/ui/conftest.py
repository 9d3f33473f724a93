"""A page that is served."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Protocol

import pytest

#: Seconds within which a server is up, or has ended.
PATIENCE = 120


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
