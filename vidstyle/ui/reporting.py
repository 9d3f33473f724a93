"""What the page shows during a run."""

import html
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from vidstyle.errors import Cancelled
from vidstyle.ui.running import Watched
from vidstyle.ui.trouble import Shown


def reported(
    steps: Iterator[Any], ended: Callable[[Any], tuple[Shown, ...]], others: int
) -> Iterator[tuple[Shown, ...]]:
    """Progress and result of a run. Yields state, other components, and the buttons: preview,
    range, shot and cancel.

    Args:
        ended: returns state and other components, given the run's result.
        others: number of other components; they are unchanged during the run.
    """
    unchanged = (gr.skip(),) * others
    try:
        for step in steps:
            if isinstance(step, Watched):
                yield (bar(step.fraction, str(step)), *unchanged, *buttons(running=True))
            else:
                yield (*ended(step), *buttons(running=False))
    except Cancelled:
        state, *pressed = cancelled()
        yield (state, *unchanged, *pressed)
    except Exception:  # told elsewhere
        yield ("", *unchanged, *buttons(running=False))
        raise


def waiting() -> tuple[Shown, ...]:
    """What is shown until a run's turn comes. Returns state, and the buttons."""
    return (bar(0, "waiting for its turn"), *buttons(running=True))


def cancelled() -> tuple[Shown, ...]:
    """The same once a run that waited or was in progress has been cancelled."""
    return (bar(0, "cancelled: nothing was written"), *buttons(running=False))


def bar(fraction: float, state: str) -> str:
    """A progress bar as HTML."""
    return (
        f'<div class="bar"><div style="width:{100 * fraction:.1f}%"></div></div>'
        f"<p>{html.escape(state)}</p>"
    )


def buttons(*, running: bool) -> tuple[Shown, ...]:
    """Preview, range and shot are disabled during a run, cancel otherwise."""
    return (*(gr.update(interactive=not running),) * 3, gr.update(interactive=running))
