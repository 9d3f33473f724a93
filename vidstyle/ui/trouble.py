"""Error messages, shown in one place on the page."""

import html
import logging
from collections.abc import Callable, Iterator
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any

import gradio as gr

from vidstyle.errors import VidstyleError
from vidstyle.ui.desk import without_folders

_BUG = (
    "this is a bug in vidstyle: the server's log, in the terminal of 'vidstyle ui', says more; "
    "please report it"
)

log = logging.getLogger(__name__)

#: Update of a component: a value, or ``gr.update``.
Shown = Any


def plainly(action: Callable[..., Any], outputs: int) -> Callable[..., Any]:
    """Wrap an action so that its first output is a one-line error message, empty on success; on
    failure all other components are unchanged. Visitors are told no more of a bug than that it is
    one; its traceback is logged.

    Args:
        outputs: number of components that the action updates.
    """
    unchanged = (gr.skip(),) * outputs

    @wraps(action)
    def done(*arguments: Any) -> tuple[Shown, ...]:
        try:
            return ("", *_several(action(*arguments), outputs))
        except Exception as error:
            return (_trouble(error), *unchanged)

    @wraps(action)
    def doing(*arguments: Any) -> Iterator[tuple[Shown, ...]]:
        try:
            for shown in action(*arguments):
                yield ("", *_several(shown, outputs))
        except Exception as error:
            yield (_trouble(error), *unchanged)

    return doing if isgeneratorfunction(action) else done


def _several(shown: Any, outputs: int) -> tuple[Shown, ...]:
    return (shown,) if outputs == 1 else tuple(shown or ())


def _trouble(error: Exception) -> str:
    if isinstance(error, VidstyleError | ValueError):
        told = html.escape(without_folders(" ".join(str(error).split())))
    else:
        log.error("this is a bug: %r", error, exc_info=error)
        told = _BUG
    return f'<p role="alert">{told[:1].upper()}{told[1:]}</p>'
