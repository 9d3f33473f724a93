"""What a command says at its end."""

import sys

import click

from vidstyle.runtime.progress import say_no_more


def say(message: object) -> None:
    """A line on standard output. Whoever read it may have gone, as ``head`` does, or the disk that
    it goes to is full: that does not spoil what was made."""
    try:
        click.echo(message)
    except OSError:
        say_no_more(sys.stdout)
