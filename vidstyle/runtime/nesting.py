"""Texts that nest brackets deeper than anybody means: their parsers go deeper with each, until the
interpreter refuses or the process ends."""

import re
from collections.abc import Callable
from typing import TypeVar

S = TypeVar("S", str, bytes)
T = TypeVar("T")

#: Levels of JSON that a timeline may have; those of real ones are a few dozen.
DEEPEST = 500

_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def parsed(parse: Callable[[S], T], text: S) -> T:
    """What a parser in Python makes of a text.

    Raises:
        ValueError: it nests too deeply, or as the parser raises.
    """
    try:
        return parse(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def check_depth(text: str) -> None:
    """Check a text of JSON for a parser that knows no limit.

    Raises:
        ValueError: it nests deeper than :data:`DEEPEST`.
    """
    depth = 0
    for token in _JSON.finditer(text):
        depth += (token[0] in "[{") - (token[0] in "]}")
        if depth > DEEPEST:
            raise ValueError("nested too deeply")
