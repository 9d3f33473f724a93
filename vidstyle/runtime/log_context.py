"""What this thread is working on, for log records."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

Place = Mapping[str, int | str]

_place: ContextVar[Place] = ContextVar("place")


def here() -> Place:
    """``shot``, ``segment``, ``frame`` and ``stage``, as far as they are known."""
    return _place.get({})


@contextmanager
def at(
    *,
    shot: int | None = None,
    segment: int | None = None,
    frame: int | None = None,
    stage: str | None = None,
) -> Iterator[None]:
    """Within the block, :func:`here` includes these as well.

    Args:
        shot: its number in the take.
        segment: its number on the grid.
        frame: the first one being processed.
    """
    given = {"shot": shot, "segment": segment, "frame": frame, "stage": stage}
    known = {key: value for key, value in given.items() if value is not None}
    token = _place.set({**here(), **known})
    try:
        yield
    finally:
        _place.reset(token)
