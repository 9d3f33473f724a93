"""Error messages, shown in one place on the page."""

import html
from collections.abc import Callable, Iterator
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any

import gradio as gr

from vidstyle.errors import VidstyleError
from vidstyle.ui.desk import without_folders

#: Update of a component: a value, or ``gr.update``.
Shown = Any


def plainly(action: Callable[..., Any], outputs: int) -> Callable[..., Any]:
    """Wrap an action so that its first output is a one-line error message, empty on success; on
    failure all other components are unchanged.

    Args:
        outputs: number of components that the action updates.
    """
    unchanged = (gr.skip(),) * outputs

    @wraps(action)
    def done(*arguments: Any) -> tuple[Shown, ...]:
        try:
            return ("", *_several(action(*arguments), outputs))
        except (VidstyleError, ValueError) as error:
            return (_trouble(error), *unchanged)

    @wraps(action)
    def doing(*arguments: Any) -> Iterator[tuple[Shown, ...]]:
        try:
            for shown in action(*arguments):
                yield ("", *_several(shown, outputs))
        except (VidstyleError, ValueError) as error:
            yield (_trouble(error), *unchanged)

    return doing if isgeneratorfunction(action) else done


def _several(shown: Any, outputs: int) -> tuple[Shown, ...]:
    return (shown,) if outputs == 1 else tuple(shown or ())


def _trouble(error: Exception) -> str:
    told = html.escape(without_folders(" ".join(str(error).split())))
    return f'<p role="alert">{told[:1].upper()}{told[1:]}</p>'
