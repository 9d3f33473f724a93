"""What the page's buttons do: a user's table in, and what the page shows then."""

import html
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps
from inspect import isgeneratorfunction
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from vidstyle.errors import Cancelled, VidstyleError
from vidstyle.live.run import Shown as LiveShown
from vidstyle.options import RenderOptions
from vidstyle.ui.desk import Desks, Results, without_folders
from vidstyle.ui.live import Picture
from vidstyle.ui.preview import ROWS
from vidstyle.ui.selection import POINTED, Image, Selection, Wish
from vidstyle.ui.table import Table, thumbnail

#: What the image editor hands over: background, layers and composite, (H, W, 4) RGBA.
Canvas = dict[str, Any] | None
#: See :func:`watch`.
Clock = dict[str, float]
#: What a component takes: a value, or ``gr.update``.
Shown = Any

#: Pixels of a camera's picture at most; the page asks for 640×360.
_CAMERA = 1920 * 1080

NOTHING_PAINTED = "None. A frame that you painted elsewhere is carried through its shot."

#: Length of the range that is offered at first.
_SHORT = 24

#: Percent of the width that a preview shows of the plate at most.
_PLATE = 16.0


def plainly(action: Callable[..., Any], outputs: int) -> Callable[..., Any]:
    """An action that says first what went wrong, in one line, or that nothing did; where something
    did, all else that is shown stays as it was.

    Args:
        outputs: how many components the action fills.
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


def ready(table: Table) -> tuple[Shown, ...]:
    """What is still to be chosen, and whether the buttons that need it can be pressed: hint,
    preview, range, shot."""
    missing = table.missing()
    hint = html.escape(f"Next: {missing}.", quote=False) if missing else "Ready."
    if missing is None and not table.is_styled:
        hint = "Ready. A preview shows styles; painted frames are carried by a render."
    preview = gr.update(interactive=missing is None and table.is_styled)
    return (hint, preview, *(gr.update(interactive=missing is None),) * 2)


def take_clip(table: Table, upload: str | None, desks: Desks, session: str) -> tuple[Shown, ...]:
    """A new clip on the desk: table, frame slider, picture, brush, first and last frame, painted
    frames."""
    if upload is None:
        raise ValueError("upload a clip first")
    table.clear()
    table.desk = None
    table.desk = desks.take(Path(upload), session)
    table.object, table.wishes = replace(table.object, points=(), mask=None, frame=0), ()
    table.keys = ()
    frame, end = table.desk.frame(0), table.desk.count - 1
    return (
        table,
        gr.update(maximum=max(1, end), value=0, visible=end > 0),
        frame,
        frame,
        gr.update(value=0, maximum=end),
        gr.update(value=min(end, _SHORT - 1), maximum=end),
        _keys(table),
    )


def show_frame(table: Table, number: float) -> tuple[Shown, ...]:
    """Another frame, in which nothing is pointed at yet: table, picture, brush."""
    frame = table.clip.frame(int(number))
    table.object = replace(table.object, points=(), mask=None, frame=int(number))
    return table, frame, frame


def choose_kind(table: Table, kind: str, name: str, number: float) -> tuple[Shown, ...]:
    """Another way of choosing: table, name, picture, brush, and the button that points again."""
    table.object = Selection(kind, name or "", frame=int(number))
    shown = table.desk.frame(int(number)) if table.desk else None
    return (
        table,
        gr.update(visible=kind == "name"),
        gr.update(visible=kind != "brush", value=shown),
        gr.update(visible=kind == "brush", value=shown),
        gr.update(visible=kind in POINTED),
    )


def call_it(table: Table, name: str | None) -> Table:
    """The name of what to look for."""
    table.object = replace(table.object, name=name or "")
    return table


def point_at(table: Table, number: float, event: gr.SelectData) -> tuple[Shown, ...]:
    """A click on the picture: table, picture."""
    frame = table.clip.frame(int(number))
    if table.object.kind not in ("click", "box"):
        raise ValueError("to point at the object choose click or box above")
    (x, y), (height, width) = event.index, frame.shape[:2]
    if not (0 <= x < width and 0 <= y < height):
        raise ValueError("point inside the picture")
    table.object = table.object.clicked(int(x), int(y), int(number))
    return table, table.object.drawn(frame)


def pick_style(table: Table, event: gr.SelectData) -> Table:
    """A click on the gallery."""
    if event.index not in range(len(table.styles)):
        raise ValueError("choose a style picture")
    table.style = table.styles[event.index]
    return table


def add_styles(table: Table, uploads: list[str]) -> tuple[Shown, ...]:
    """More pictures, the last of them chosen: table, gallery."""
    for upload in map(Path, uploads):
        thumbnail(upload)
        table.styles = [*table.styles, upload]
    table.style = table.styles[-1]
    return table, gr.update(value=table.gallery(), selected_index=len(table.styles) - 1)


def add_key(table: Table, upload: str, number: float) -> tuple[Shown, ...]:
    """The frame that is shown, as somebody painted it: table, list."""
    frame = int(number)
    path = table.clip.keep_key(Path(upload), frame)
    others = [(each, other) for each, other in table.keys if other != frame]
    table.keys = tuple(sorted([*others, (path, frame)], key=lambda key: key[1]))
    return table, _keys(table)


def drop_keys(table: Table) -> tuple[Shown, ...]:
    """None is painted: table, list."""
    table.keys = ()
    return table, _keys(table)


def go_to(table: Table, event: gr.SelectData) -> tuple[Shown, ...]:
    """A click on the strip of confidences: table, frame slider, picture, brush."""
    results = table.clip.results
    if results is None or results.confidences is None:
        raise ValueError("render first")
    number = results.confidences.frame_at(int(event.index[0]))
    table, *views = show_frame(table, number)
    return table, gr.update(value=number), *views


def preview(
    table: Table, number: float, canvas: Canvas, full: bool, options: RenderOptions
) -> tuple[Shown, ...]:
    """One frame: table, before and after, its size, matte unless it is everything, command line."""
    desk = table.clip
    _paint(table, canvas, number)
    wishes = table.all_wishes()
    seen = desk.preview(int(number), wishes, options, None if full else ROWS)
    told = _sizes(seen.size, desk.size)
    sides = gr.update(value=(seen.before, seen.after), slider_position=_wipe(seen.matte))
    matte = gr.update(value=seen.matte, visible=bool((seen.matte < 255).any()))
    return table, sides, told, matte, desk.command(wishes, options)


def render(
    table: Table, number: float, canvas: Canvas, options: RenderOptions
) -> Iterator[tuple[Shown, ...]]:
    """A range or the whole shot, told as it goes: state, result, strip of confidences,
    files, command line, and the buttons: preview, range, shot and cancel."""
    desk = table.clip
    _paint(table, canvas, number)
    wishes = table.all_wishes()
    return _told(desk.render(wishes, options), desk.command(wishes, options))


def play(table: Table, number: float, canvas: Canvas, options: RenderOptions) -> Iterator[str]:
    """The clip, live: the screen."""
    desk = table.clip
    _paint(table, canvas, number)
    return _screened(desk.play(table.all_wishes(), options))


def watch(table: Table, image: Image | None, clock: Clock, options: RenderOptions) -> str:
    """A frame of the camera: the screen. What goes wrong stands below the picture, since the next
    frame comes anyway.

    Args:
        clock: the browser's: ``frame``, its number; ``sent``, when; ``latency``, how long the
            picture before took; in milliseconds.
    """
    if image is None:
        return ""
    if image.shape[0] * image.shape[1] > _CAMERA:
        return "<p>the camera's picture is too large</p>"
    try:
        wishes = table.all_wishes()
        number, latency = int(clock["frame"]), clock["latency"] / 1000
        seen = table.camera.step(image, number, latency, wishes, options)
    except (VidstyleError, ValueError) as error:
        seen = Picture.of(image, without_folders(" ".join(str(error).split())))
    return _screen(seen, clock["sent"])


def cancel(table: Table) -> None:
    """End the render or the live picture on its way."""
    table.clip.cancel()


def keep_object(table: Table, number: float, canvas: Canvas) -> tuple[Shown, ...]:
    """This object and style are settled, another may come over it: table, list, painted frames."""
    _paint(table, canvas, number)
    table.wishes = table.all_wishes()
    table.object, table.keys = replace(table.object, points=(), mask=None), ()
    lines = [f"{n}. {html.escape(_called(wish))}" for n, wish in enumerate(table.wishes, 1)]
    return table, "\n".join([*lines, "", "Now choose the next one."]), _keys(table)


def start_over(table: Table) -> tuple[Shown, ...]:
    """No object is settled: table, list."""
    table.wishes = ()
    return table, "One object. Keep it to choose another, laid over it."


def _told(steps: Iterator[Any], command: str) -> Iterator[tuple[Shown, ...]]:
    hidden = gr.update(visible=False)
    try:
        for step in steps:
            if isinstance(step, Results):
                shown = gr.update(value=str(step.clip), visible=True)
                files = gr.update(value=step.all, visible=True)
                strip = _strip(step)
                yield (_bar(1, str(step)), shown, strip, files, command, *_buttons(running=False))
            else:
                told = _bar(step.fraction, str(step))
                yield (told, hidden, hidden, hidden, command, *_buttons(running=True))
    except Cancelled:
        told = _bar(0, "cancelled: nothing was written")
        yield (told, hidden, hidden, hidden, command, *_buttons(running=False))
    except (VidstyleError, ValueError):
        yield ("", hidden, hidden, hidden, command, *_buttons(running=False))
        raise


def _buttons(*, running: bool) -> tuple[Shown, ...]:
    """Preview, range and shot wait for a render; it alone can be cancelled."""
    return (*(gr.update(interactive=not running),) * 3, gr.update(interactive=running))


def _strip(results: Results) -> Shown:
    if results.confidences is None:
        return gr.update(visible=False)
    return gr.update(value=results.confidences.drawn(), visible=True)


def _keys(table: Table) -> str:
    """What was painted, in words."""
    if not table.keys:
        return NOTHING_PAINTED
    return "\n".join(f"- frame {frame}: {html.escape(path.name)}" for path, frame in table.keys)


def _screened(pictures: Iterator[Picture | LiveShown]) -> Iterator[str]:
    screen = ""
    for seen in pictures:
        if isinstance(seen, Picture):
            screen = _screen(seen)
            yield screen
        else:
            yield f"{screen}<p>ended: {html.escape(str(seen))}</p>"


def _screen(seen: Picture, sent: float = 0) -> str:
    return (
        f'<img src="{seen.url}" alt="live picture" data-sent="{sent:.0f}">'
        f"<p>{html.escape(seen.told)}</p>"
    )


def _paint(table: Table, canvas: Canvas, number: float) -> None:
    """Take over what was painted."""
    mask = None if canvas is None else _mask(canvas)
    if table.object.kind == "brush" and mask is not None and mask.any():
        table.object = replace(table.object, mask=table.clip.paint(mask), frame=int(number))


def _mask(canvas: dict[str, Any]) -> Image | None:
    """What was painted over the picture, (H, W), 255 there; None for no layer."""
    layers = [layer for layer in canvas.get("layers") or () if layer is not None]
    if not layers:
        return None
    alpha = np.maximum.reduce([layer[..., 3] for layer in layers])
    return np.where(alpha > 0, np.uint8(255), np.uint8(0))


def _wipe(matte: Image) -> float:
    """Where the slider starts, in percent of the width: left of the object, which then is on the
    side of the result; a whole frame shows a sixth of the plate."""
    columns = np.flatnonzero((matte > 127).any(axis=0))
    if not len(columns):
        return _PLATE
    return float(min(max(100 * columns[0] / matte.shape[1] - 2, 2), _PLATE))


def _sizes(seen: tuple[int, int], clip: tuple[int, int]) -> str:
    told = f"Previewed at {seen[1]}×{seen[0]}"
    if seen == clip:
        return f"{told}, the clip's own size."
    return (
        f"{told}; the clip has {clip[1]}×{clip[0]}, where strokes and detail come out finer. "
        "*At full size* shows them, and takes longer."
    )


def _called(wish: Wish) -> str:
    after = [f"in the style of {wish.style.name}"] if wish.style else []
    after += [f"as painted in frame {frame}" for _, frame in wish.keys]
    return f"{wish.object.spec() or 'whole frame'} {', '.join(after)}"


def _bar(fraction: float, told: str) -> str:
    return (
        f'<div class="bar"><div style="width:{100 * fraction:.1f}%"></div></div>'
        f"<p>{html.escape(told)}</p>"
    )


def _trouble(error: Exception) -> str:
    told = html.escape(without_folders(" ".join(str(error).split())))
    return f'<p role="alert">{told[:1].upper()}{told[1:]}</p>'
