"""Actions on the user's choices: previews, renders, and viewing kept renders."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np

from vidstyle.options import RenderOptions
from vidstyle.runtime.progress import CancelToken
from vidstyle.ui.choosing import Canvas, called, paint, show_frame
from vidstyle.ui.history import Kept
from vidstyle.ui.look import look_of
from vidstyle.ui.preview import ROWS
from vidstyle.ui.reporting import bar, cancelled, reported, waiting
from vidstyle.ui.results import Results
from vidstyle.ui.running import Watched
from vidstyle.ui.selection import Image
from vidstyle.ui.table import Table, title_of
from vidstyle.ui.trouble import Shown

#: Number of components that :func:`shown` updates.
SHOWN = 9

#: Maximum percentage of the width at which a preview shows the plate.
_PLATE = 16.0


def preview(
    table: Table, number: float, canvas: Canvas, full: bool, options: RenderOptions
) -> tuple[Shown, ...]:
    """One frame. Returns table, before and after, its size, matte unless it covers everything,
    command line."""
    desk = table.clip
    paint(table, canvas, number)
    wishes = table.all_wishes()
    seen = desk.preview(int(number), wishes, options, None if full else ROWS)
    sides = gr.update(
        value=(seen.before, seen.after),
        slider_position=_wipe(seen.matte),
        label="Preview: plate left, result right",
    )
    matte = gr.update(value=seen.matte, visible=bool((seen.matte < 255).any()))
    line = gr.update(value=desk.command(wishes, options), visible=True)
    return table, sides, _sizes(seen.size, desk.size), matte, line


def compare(
    table: Table, number: float, canvas: Canvas, full: bool, options: RenderOptions
) -> tuple[Shown, ...]:
    """One frame in two styles; returns as :func:`preview`, with the command line of B."""
    if table.rival is None:
        raise ValueError("keep a style as A first")
    table, sides, *rest = preview(table, number, canvas, full, options)
    *below, top = table.all_wishes()
    rival = [*below, replace(top, style=table.rival)]
    a = table.clip.preview(int(number), rival, options, None if full else ROWS)
    sides = gr.update(
        value=(a.after, sides["value"][1]),
        slider_position=50,
        label=f"Left: A ({_title(table.rival)}); right: B ({_title(table.style)})",
    )
    return table, sides, *rest


def render(
    table: Table, number: float, canvas: Canvas, options: RenderOptions
) -> Iterator[tuple[Shown, ...]]:
    """Render a range or the whole shot, with progress. Yields state, table, the components of
    :func:`shown`, and the buttons: preview, range, shot and cancel."""
    desk = table.clip

    def steps() -> Iterator[Watched | Results]:
        table.take_turn()
        paint(table, canvas, number)
        wishes = table.all_wishes()
        first, stop = options.range
        last = desk.count - 1 if stop is None else stop - 1
        if first <= last:  # otherwise the render reports the error
            wishes = tuple(replace(w, object=desk.within(w.object, first, last)) for w in wishes)
        table.history.check_room()
        yield from desk.render(wishes, options)

    def rendered(results: Results) -> tuple[Shown, ...]:
        table.history.add(desk, results)
        return (bar(1, str(results)), table, *shown(table))

    yield from reported(steps(), rendered, 1 + SHOWN)


def wait(table: Table) -> tuple[Shown, ...]:
    """Wait for a run's turn, which can be cancelled. Returns state, and the buttons: preview,
    range, shot and cancel."""
    table.turns.append(CancelToken())
    return waiting()


def cancel(table: Table) -> tuple[Shown, ...]:
    """Stop the current run or live picture, and those that wait for their turn. Returns as
    :func:`wait`; a run reports its end itself."""
    table.clip.cancel()
    waited = [*table.turns]
    for turn in waited:
        turn.cancel()
    return cancelled() if waited else (gr.skip(),) * 5


def stop_playing(table: Table) -> None:
    """Stop the live picture."""
    table.clip.stop_playing()


def shown(table: Table) -> tuple[Shown, ...]:
    """The render being viewed. Returns the part of the page, the list of renders, film, frame
    slider, plate and result, strip of confidences, files, archive, command line."""
    kept = table.history.shown
    if kept is None:
        return (gr.update(visible=False), *(gr.skip(),) * (SHOWN - 1))
    results = kept.results
    return (
        gr.update(visible=True),
        gr.update(
            choices=[(_line(each), each.number) for each in reversed(table.history.renders)],
            value=kept.number,
            label=str(table.history),
        ),
        str(results.clip),
        gr.update(
            minimum=results.first,
            maximum=max(results.first + 1, results.last),
            value=results.first,
            visible=results.last > results.first,
        ),
        results.against_plate(results.first),
        gr.update(visible=False)
        if results.confidences is None
        else gr.update(value=results.confidences.drawn(), visible=True),
        results.all,
        gr.update(value=None, visible=False),
        gr.update(value=results.command, visible=True),
    )


def look_at(table: Table, number: int) -> tuple[Shown, ...]:
    """View another kept render. Returns table and the components of :func:`shown`."""
    table.history.show(number)
    return (table, *shown(table))


def remove(table: Table) -> tuple[Shown, ...]:
    """Remove the render being viewed. Returns table and the components of :func:`shown`."""
    table.history.remove(table.desk)
    return (table, *shown(table))


def scrub(table: Table, number: float) -> tuple[Image, Image]:
    """A frame of the render being viewed: plate and result."""
    return _looked_at(table).results.against_plate(int(number))


def pack(table: Table) -> Shown:
    """Pack the render being viewed, with everything that belongs to it, into one archive."""
    return gr.update(value=str(_looked_at(table).results.pack()), visible=True)


def go_to(table: Table, event: gr.SelectData) -> tuple[Shown, ...]:
    """Handle a click on the strip of confidences. Returns frame of the render, plate and result;
    and, if it belongs to the clip on the desk, frame slider, picture, brush."""
    kept = _looked_at(table)
    if kept.results.confidences is None:
        raise ValueError("render an object first")
    number = kept.results.confidences.frame_at(int(event.index[0]))
    views = (gr.skip(),) * 3
    if kept.desk is table.desk:
        views = (gr.update(value=number), *show_frame(table, number))
    return (gr.update(value=number), kept.results.against_plate(number), *views)


def _looked_at(table: Table) -> Kept:
    if table.history.shown is None:
        raise ValueError("render first")
    return table.history.shown


def _line(kept: Kept) -> str:
    """A render, described in one line."""
    results = kept.results
    wishes = "; ".join(map(called, results.wishes))
    frames = f"{results.plate.name} {results.first}-{results.last}"
    return f"{kept.number} · {frames} · " + ", ".join([wishes, *look_of(results.options)])


def _title(style: Path | None) -> str:
    return "none" if style is None else title_of(style)


def _wipe(matte: Image) -> float:
    """Initial slider position, in percent of the width: left of the object, so that the result
    shows there; for a whole frame a sixth shows the plate."""
    columns = np.flatnonzero((matte > 127).any(axis=0))
    if not len(columns):
        return _PLATE
    return float(min(max(100 * columns[0] / matte.shape[1] - 2, 2), _PLATE))


def _sizes(seen: tuple[int, int], clip: tuple[int, int]) -> str:
    told = f"Previewed at {seen[1]}×{seen[0]}"
    if seen == clip:
        return f"{told}, the clip's own size."
    return (
        f"{told}; the clip is {clip[1]}×{clip[0]}, where strokes and detail come out finer. "
        "*Preview at full size* shows them, but takes longer."
    )
