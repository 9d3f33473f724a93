"""A page that is served."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import pytest


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
    known = os.environ | environment
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=known) as server:
        try:
            assert server.stderr is not None
            for line in server.stderr:
                if "page: http" in line:
                    break
            else:
                pytest.fail("the page was not served")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.communicate()
