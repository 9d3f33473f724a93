"""What commands print."""

import sys
from collections.abc import Sequence

import click

from vidstyle.runtime.progress import say_no_more


def say(message: object) -> None:
    """A line on standard output. Whoever read it may have gone, as ``head`` does, or the disk that
    it goes to is full: that does not spoil what was made."""
    try:
        click.echo(message)
    except OSError:
        say_no_more(sys.stdout)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """A table: a line for each row, its cells as wide as the widest of their column."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
