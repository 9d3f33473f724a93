"""What tests of the command line share."""

from collections.abc import Callable
from pathlib import Path

import av
import pytest


@pytest.fixture(scope="session")
def packets() -> Callable[[Path], list[tuple[int, int | None, bytes]]]:
    """Every packet of a file as it lies there: its stream, time and bytes."""

    def read(path: Path) -> list[tuple[int, int | None, bytes]]:
        with av.open(str(path)) as container:
            return [(p.stream.index, p.pts, bytes(p)) for p in container.demux() if p.size]

    return read
