"""Building blocks of messages."""

from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """``1 segment``, ``2 segments``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def ranges(runs: Sequence[tuple[int, int]]) -> str:
    """Runs of frames, given as (first, last), in words: ``3, 40-76``."""
    return ", ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in runs)
