"""The user's choices before rendering: clip, frame, object, style, painted frames."""

import html
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from vidstyle.options import RenderOptions
from vidstyle.segment.detectors.coco import NAMES
from vidstyle.ui.candidates import Candidates
from vidstyle.ui.desk import Desks, without_folders
from vidstyle.ui.reporting import bar, reported
from vidstyle.ui.running import Watched
from vidstyle.ui.selection import POINTED, Image, Selection, Wish
from vidstyle.ui.table import Table, thumbnail, title_of
from vidstyle.ui.trouble import Shown
from vidstyle.words import counted

#: Value of the image editor: background, layers and composite, (H, W, 4) RGBA.
Canvas = dict[str, Any] | None

NOTHING_PAINTED = "None. Upload a frame that you painted elsewhere to carry it through its shot."
ONE_OBJECT = "One object. Add another to layer it on top."

#: Meaning of a click.
INSIDE, OUTSIDE = "the object", "not the object"

#: Initial length of the range.
_SHORT = 24


def ready(table: Table, number: float) -> tuple[Shown, ...]:
    """What is still missing, and which buttons are enabled. Returns hint, preview, comparison,
    range, shot, play."""
    missing, here = table.missing(), table.missing_here(int(number))
    hint = "Ready." if here is None else f"Ready. To preview, {here}."
    if missing:
        hint = f"Next: {missing}."
    makes, shows = missing is None, missing is None and here is None
    return (
        html.escape(hint, quote=False),
        *_pressable(shows, shows and table.can_compare(), makes, makes, table.can_play()),
    )


def take_clip(table: Table, upload: str | None, desks: Desks, session: str) -> tuple[Shown, ...]:
    """Put a new clip on the desk. Returns table, frame slider, picture, brush, first and last
    frame, painted frames."""
    if upload is None:
        raise ValueError("upload a clip first")
    table.put_clip_away()
    table.desk = desks.take(Path(upload), session)
    table.object, table.wishes = replace(table.object, points=(), mask=None, frame=0), ()
    table.keys = ()
    frame, end = table.desk.frame(0), table.desk.count - 1
    return (
        table,
        gr.update(maximum=max(1, end), value=0, visible=end > 0),
        gr.update(value=frame, visible=table.object.kind != "brush"),
        frame,
        gr.update(value=0, maximum=end),
        gr.update(value=min(end, _SHORT - 1), maximum=end),
        _keys(table),
    )


def show_frame(table: Table, number: float) -> tuple[Shown, ...]:
    """Show another frame. Returns picture, brush."""
    return viewed(table, number), table.clip.frame(int(number))


def choose_kind(table: Table, kind: str, name: str, number: float) -> tuple[Shown, ...]:
    """Change the way of choosing. Returns table, picture, brush, and the components of each way:
    name, search, meaning of a click, undo, and the button that points again."""
    table.object = Selection(kind, name or "")
    shown = viewed(table, number) if table.desk else None
    return (
        table,
        gr.update(visible=kind != "brush" and table.desk is not None, value=shown),
        gr.update(visible=kind == "brush", value=shown),
        gr.update(visible=kind == "name"),
        gr.update(visible=kind == "name"),
        gr.update(visible=kind == "click"),
        gr.update(visible=kind in ("click", "box")),
        gr.update(visible=kind in POINTED),
    )


def call_it(table: Table, name: str | None, number: float) -> tuple[Shown, ...]:
    """Set the name to search for. Returns table, picture."""
    table.object = replace(table.object, name=name or "")
    return table, viewed(table, number) if table.desk else gr.skip()


def find(table: Table, number: float, options: RenderOptions) -> Iterator[tuple[Shown, ...]]:
    """Search for objects that can be chosen by name, with progress. Yields state, table, picture,
    names, and the buttons: preview, range, shot and cancel."""

    def found(candidates: Candidates) -> tuple[Shown, ...]:
        names = gr.update(choices=[*candidates.names, *sorted(NAMES)])
        state = (
            f"Found {counted(len(candidates.names), 'object')}: click on one, or choose its name"
        )
        return bar(1, state), table, viewed(table, number), names

    def steps() -> Iterator[Watched | Candidates]:
        table.take_turn()
        yield from table.clip.find_candidates(options)

    yield from reported(steps(), found, 3)


def point_at(table: Table, number: float, sign: str, event: gr.SelectData) -> tuple[Shown, ...]:
    """Handle a click on the picture. Returns table, picture, name."""
    frame = table.clip.frame(int(number))
    (x, y), (height, width) = event.index, frame.shape[:2]
    if not (0 <= x < width and 0 <= y < height):
        raise ValueError("click inside the picture")
    name: Shown = gr.skip()
    if table.object.kind in ("click", "box"):
        outside = sign == OUTSIDE
        table.object = table.object.clicked(int(x), int(y), int(number), outside=outside)
    elif table.object.kind == "name" and (candidates := table.clip.candidates):
        name = candidates.at(int(x), int(y), int(number))
        if name is None:
            raise ValueError("click inside one of the boxes")
        table.object = replace(table.object, name=name)
    else:
        raise ValueError(
            "to click on the object, choose click or box; to choose it by name, find objects first"
        )
    return table, viewed(table, number), name


def undo(table: Table, number: float) -> tuple[Shown, ...]:
    """Undo the last click. Returns table, picture."""
    table.object = table.object.undone()
    return table, viewed(table, number)


def pick_style(table: Table, event: gr.SelectData) -> Table:
    """Handle a click on the gallery."""
    if event.index not in range(len(table.styles)):
        raise ValueError("choose a style picture")
    table.style = table.styles[event.index]
    return table


def hold_style(table: Table) -> tuple[Shown, ...]:
    """Keep the chosen style for comparison with others. Returns table, button."""
    if table.style is None:
        raise ValueError("choose a style picture")
    table.rival = table.style
    return table, f"A is {title_of(table.style)}"


def add_styles(table: Table, uploads: list[str]) -> tuple[Shown, ...]:
    """Add style pictures and choose the last. Returns table, gallery."""
    for upload in map(Path, uploads):
        thumbnail(upload)
        table.styles = [*table.styles, upload]
    table.style = table.styles[-1]
    return table, gr.update(value=table.gallery(), selected_index=len(table.styles) - 1)


def add_key(table: Table, upload: str, number: float) -> tuple[Shown, ...]:
    """Add a painted version of the shown frame. Returns table, list."""
    frame = int(number)
    path = table.clip.keep_key(Path(upload), frame)
    others = [(each, other) for each, other in table.keys if other != frame]
    table.keys = tuple(sorted([*others, (path, frame)], key=lambda key: key[1]))
    return table, _keys(table)


def drop_keys(table: Table) -> tuple[Shown, ...]:
    """Remove all painted frames. Returns table, list."""
    table.keys = ()
    return table, _keys(table)


def keep_object(table: Table, number: float, canvas: Canvas) -> tuple[Shown, ...]:
    """Keep this object and style, so that another can be layered over it. Returns table, list,
    painted frames."""
    paint(table, canvas, number)
    table.wishes = table.all_wishes()
    table.object, table.keys = replace(table.object, points=(), mask=None), ()
    lines = [f"{n}. {html.escape(called(wish))}" for n, wish in enumerate(table.wishes, 1)]
    return table, "\n".join([*lines, "", "Now choose the next one."]), _keys(table)


def start_over(table: Table) -> tuple[Shown, ...]:
    """Discard all kept objects. Returns table, list."""
    table.wishes = ()
    return table, ONE_OBJECT


def paint(table: Table, canvas: Canvas, number: float) -> None:
    """Store what was painted with the brush."""
    mask = None if canvas is None else _mask(canvas)
    if table.object.kind == "brush" and mask is not None and mask.any():
        table.object = replace(table.object, mask=table.clip.paint(mask), frame=int(number))


def viewed(table: Table, number: float) -> Image:
    """A frame (H, W, 3) with available and chosen objects marked."""
    frame = table.clip.frame(int(number))
    if table.object.kind == "name" and (candidates := table.clip.candidates):
        return candidates.drawn(frame, int(number), table.object.name)
    return table.object.drawn(frame, int(number))


def called(wish: Wish) -> str:
    """An object and the source of its look, in words."""
    after = [f"in the style of {wish.style.name}"] if wish.style else []
    after += [f"as painted in frame {frame}" for _, frame in wish.keys]
    return f"{without_folders(wish.object.spec() or 'whole frame')} {', '.join(after)}"


def _keys(table: Table) -> str:
    """The painted frames, in words."""
    if not table.keys:
        return NOTHING_PAINTED
    return "\n".join(f"- frame {frame}: {html.escape(path.name)}" for path, frame in table.keys)


def _mask(canvas: dict[str, Any]) -> Image | None:
    """The brush mask painted over the picture, (H, W), 255 inside; None without a layer."""
    layers = [layer for layer in canvas.get("layers") or () if layer is not None]
    if not layers:
        return None
    alpha = np.maximum.reduce([layer[..., 3] for layer in layers])
    return np.where(alpha > 0, np.uint8(255), np.uint8(0))


def _pressable(*whether: bool) -> tuple[Shown, ...]:
    return tuple(gr.update(interactive=each) for each in whether)
