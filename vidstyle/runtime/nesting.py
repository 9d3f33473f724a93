"""Texts with absurdly nested brackets: parsers recurse with each level, until the interpreter
raises or the process crashes."""

import re
from collections.abc import Callable
from typing import TypeVar

S = TypeVar("S", str, bytes)
T = TypeVar("T")

#: Most levels of JSON in a timeline; real ones have a few dozen.
DEEPEST = 500

_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def parsed(parse: Callable[[S], T], text: S) -> T:
    """Parse a text with a parser written in Python.

    Raises:
        ValueError: it nests too deeply, or the parser raises it.
    """
    try:
        return parse(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def check_depth(text: str) -> None:
    """Check JSON text before a parser without a depth limit.

    Raises:
        ValueError: it nests deeper than :data:`DEEPEST`.
    """
    depth = 0
    for token in _JSON.finditer(text):
        depth += (token[0] in "[{") - (token[0] in "]}")
        if depth > DEEPEST:
            raise ValueError("nested too deeply")
