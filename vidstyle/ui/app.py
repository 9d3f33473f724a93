"""The page: its layout, and the action that each part of it calls."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from vidstyle.options import RenderOptions
from vidstyle.segment.detectors.coco import NAMES
from vidstyle.ui import choosing, live_tab, making
from vidstyle.ui.choosing import INSIDE, OUTSIDE, Canvas
from vidstyle.ui.desk import Desks
from vidstyle.ui.history import History
from vidstyle.ui.live_tab import DEVICE, Clock
from vidstyle.ui.look import look_inputs, with_look
from vidstyle.ui.result_part import result_part
from vidstyle.ui.selection import KINDS, Image
from vidstyle.ui.table import Table
from vidstyle.ui.trouble import plainly

_SCROLL = "() => document.querySelector('#ID').scrollIntoView({ block: 'nearest' })"
# As soon as the link exists.
_DOWNLOAD = """() => {
    let tries = 50;
    const waiting = setInterval(() => {
        const link = document.querySelector('#archive a');
        if (link || --tries == 0) clearInterval(waiting);
        link?.click();
    }, 100);
}"""

_PICTURES = [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"]
_CLIPS = [".mp4", ".mov", ".mkv", ".webm", ".avi", ".mxf", ".m4v"]
_DAY = 24 * 3600


def build_app(
    styles: Sequence[Path], desks: Desks, options: RenderOptions, most_bytes: int
) -> gr.Blocks:
    """The page.

    Args:
        styles: pictures available to all users.
        desks: for the clips.
        options: model and device.
        most_bytes: maximum disk space of a session's renders.

    Raises:
        MediaError: a style picture cannot be read.
    """

    def take_clip(table: Table, upload: str | None, asked: gr.Request) -> Any:
        return choosing.take_clip(table, upload, desks, asked.session_hash or "")

    def leave(asked: gr.Request) -> None:
        desks.leave(asked.session_hash or "")

    def find(table: Table, number: float) -> Iterator[Any]:
        yield from choosing.find(table, number, options)

    def preview(table: Table, number: float, canvas: Canvas, full: bool, *look: Any) -> Any:
        return making.preview(table, number, canvas, full, with_look(options, look))

    def compare(table: Table, number: float, canvas: Canvas, full: bool, *look: Any) -> Any:
        return making.compare(table, number, canvas, full, with_look(options, look))

    def render(table: Table, number: float, canvas: Canvas, *look: Any) -> Iterator[Any]:
        yield from making.render(table, number, canvas, with_look(options, look))

    def render_part(
        table: Table, number: float, canvas: Canvas, first: int | None, last: int | None, *look: Any
    ) -> Iterator[Any]:
        chosen = replace(with_look(options, look), first=first, last=last)
        yield from making.render(table, number, canvas, chosen)

    def play(table: Table, number: float, canvas: Canvas, *look: Any) -> Iterator[str]:
        yield from live_tab.play(table, number, canvas, with_look(options, look))

    def watch(table: Table, image: Image | None, clock: Clock, *look: Any) -> str:
        return live_tab.watch(table, image, clock, with_look(options, look))

    app = gr.Blocks(title="vidstyle", analytics_enabled=False, delete_cache=(3600, _DAY))
    with app:
        begin = Table(None, list(styles), History(most_bytes))
        table = gr.State(begin, time_to_live=_DAY, delete_callback=Table.clear)
        gr.Markdown("# vidstyle\nRestyle one object of a shot, and leave every other pixel alone.")
        trouble = gr.HTML(elem_id="trouble", padding=False)
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                picture = gr.Image(
                    label="The frame", interactive=False, visible=False, elem_id="picture",
                    buttons=[],
                )  # fmt: skip
                brush = gr.ImageEditor(
                    label="Paint over the object",
                    visible=False,
                    brush=gr.Brush(default_size=24, colors=["#ff4040"], color_mode="fixed"),
                    transforms=(),
                    sources=(),
                    layers=False,
                    elem_id="brush",
                )
                number = gr.Slider(0, 1, 0, step=1, label="Frame", visible=False, elem_id="frame")
                clip = gr.File(label="1 · Clip", file_types=_CLIPS, height=110, elem_id="clip")
                kind = gr.Radio(list(KINDS), value=KINDS[0], label="2 · Object", elem_id="kind")
                name = gr.Dropdown(
                    sorted(NAMES),
                    value="person",
                    allow_custom_value=True,
                    label="What to look for: person, or person#2 for the second one",
                    visible=False,
                    elem_id="name",
                )
                search = gr.Button(
                    "Find objects to click on", size="sm", visible=False, elem_id="search"
                )
                sign = gr.Radio(
                    [INSIDE, OUTSIDE], value=INSIDE, label="A click marks", visible=False,
                    elem_id="sign",
                )  # fmt: skip
                with gr.Row():
                    undo = gr.Button(
                        "Undo last click",
                        size="sm",
                        min_width=120,
                        visible=False,
                        elem_id="undo",
                    )
                    again = gr.Button(
                        "Clear selection", size="sm", min_width=120, visible=False, elem_id="again"
                    )
                gallery = gr.Gallery(
                    value=begin.gallery(),
                    label="3 · Style",
                    columns=4,
                    height="auto",
                    allow_preview=False,
                    interactive=False,
                    buttons=[],
                    elem_id="gallery",
                )
                with gr.Row():
                    more = gr.UploadButton(
                        "Upload style pictures",
                        file_count="multiple",
                        file_types=_PICTURES,
                        size="sm",
                        min_width=120,
                        elem_id="styles",
                    )
                    hold = gr.Button("Keep as A", size="sm", min_width=90, elem_id="hold")
                    versus = _button("Compare with A", "secondary", "versus", size="sm")
                with gr.Accordion("Look", open=False):
                    look = look_inputs()
                with gr.Accordion("Painted frames", open=False):
                    painted = gr.Markdown(choosing.NOTHING_PAINTED, elem_id="painted")
                    with gr.Row():
                        key = gr.UploadButton(
                            "Upload painted version of this frame",
                            file_types=_PICTURES,
                            size="sm",
                            elem_id="key",
                        )
                        unpaint = gr.Button("Remove all", size="sm", elem_id="unpaint")
                with gr.Accordion("Several objects", open=False):
                    kept = gr.Markdown(choosing.ONE_OBJECT)
                    with gr.Row():
                        keep = gr.Button("Add another object", size="sm", elem_id="keep")
                        over = gr.Button("Start over", size="sm", elem_id="over")
            with gr.Column(scale=4, min_width=320):
                with gr.Tab("Preview and render"):
                    hint = gr.HTML("Next: upload a clip.", elem_id="hint")
                    with gr.Row(elem_id="actions"):
                        see = _button("Preview", "secondary", "preview")
                        part = _button("Render range", "secondary", "part")
                        whole = _button("Render shot", "primary", "whole")
                        stop = _button("Cancel", "stop", "cancel")
                    with gr.Row():
                        first = gr.Number(
                            0, label="First frame", precision=0, minimum=0, min_width=90,
                            elem_id="first",
                        )  # fmt: skip
                        last = gr.Number(
                            0, label="Last frame", precision=0, minimum=0, min_width=90,
                            elem_id="last",
                        )  # fmt: skip
                        full = gr.Checkbox(
                            False, label="Preview at full size", min_width=140, elem_id="full"
                        )
                    state = gr.HTML(elem_id="state")
                    result = result_part()
                    slider = gr.ImageSlider(
                        label="Preview: plate left, result right",
                        interactive=False, elem_id="slider", buttons=[],
                    )  # fmt: skip
                    sizes = gr.Markdown(elem_id="sizes")
                    matte = gr.Image(
                        label="Matte", interactive=False, height=200, visible=False,
                        elem_id="matte", buttons=[],
                    )  # fmt: skip
                    command = gr.Code(
                        label="Equivalent command line", language="shell", lines=2,
                        max_lines=6, interactive=False, wrap_lines=True,
                        visible=False, elem_id="command",
                    )  # fmt: skip
                with gr.Tab("Live"):
                    live = live_tab.live_tab(
                        plainly(play, 1),
                        watch,
                        plainly(making.stop_playing, 0),
                        [table, number, brush],
                        look,
                        trouble,
                    )

        views, pointed = [picture, brush], [table, number, brush]
        by_kind = [table, *views, name, search, sign, undo, again]
        wakes = [hint, see, versus, part, whole, live]
        runs = [see, part, whole, stop]

        def on(event: Any, action: Any, inputs: Any, outputs: list[Any], **how: Any) -> Any:
            """Connect an event to an action, whose errors are shown at the top of the page.

            Only jobs are queued. Gradio answers queued actions on one stream, which it closes
            after the last; an action queued while that close is on its way to the browser is
            never answered, and the page waits forever.
            """
            how.setdefault("queue", False)
            told = plainly(action, len(outputs))
            # Only outputs that will change show progress; the top of the page stays still.
            waits = [each for each in outputs if each is not table]
            if waits and "show_progress" not in how:
                how["show_progress_on"] = waits
            else:
                how["show_progress"] = "hidden"
            return event(told, inputs, [trouble, *outputs], **how)

        def choose(event: Any, action: Any, inputs: Any, outputs: list[Any], **how: Any) -> None:
            """The same for an action that may change what is still missing."""
            on(event, action, inputs, outputs, **how).then(
                choosing.ready, [table, number], wakes, show_progress="hidden", queue=False
            )

        def alone(
            button: gr.Button,
            action: Any,
            inputs: list[Any],
            outputs: list[Any],
            scrolled: str,
            *,
            waits: bool = False,
        ) -> None:
            """Run one job at a time on the device, across all users; the page scrolls to the
            result.

            Args:
                waits: it reports its own progress, and can be cancelled even before its turn.
            """
            turn, how = button.click, {}
            if waits:
                # With the same inputs: a number out of range ends both.
                wait = on(turn, lambda table, *_: making.wait(table), inputs, [state, *runs])
                turn, how = wait.then, {"trigger_mode": "multiple", "show_progress": "hidden"}
            choose(
                turn, action, inputs, outputs,
                queue=True, concurrency_limit=1, concurrency_id=DEVICE, **how,
            )  # fmt: skip
            button.click(None, js=_SCROLL.replace("ID", scrolled))

        app.unload(leave)
        taken = [table, number, *views, first, last, painted]
        latest = {"trigger_mode": "always_last"}
        choose(clip.upload, take_clip, [table, clip], taken)
        choose(number.input, choosing.show_frame, [table, number], views, **latest)
        choose(kind.input, choosing.choose_kind, [table, kind, name, number], by_kind)
        choose(again.click, choosing.choose_kind, [table, kind, name, number], by_kind)
        choose(name.change, choosing.call_it, [table, name, number], [table, picture])
        # No click is lost, even before the previous one's mark appears.
        choose(picture.select, choosing.point_at, [table, number, sign], [table, picture, name],
               trigger_mode="multiple")  # fmt: skip
        choose(undo.click, choosing.undo, [table, number], [table, picture])
        choose(gallery.select, choosing.pick_style, table, [table])
        choose(more.upload, choosing.add_styles, [table, more], [table, gallery])
        choose(hold.click, choosing.hold_style, table, [table, hold])
        choose(key.upload, choosing.add_key, [table, key, number], [table, painted])
        choose(unpaint.click, choosing.drop_keys, table, [table, painted])
        choose(keep.click, choosing.keep_object, pointed, [table, kept, painted])
        choose(over.click, choosing.start_over, table, [table, kept])
        on(stop.click, making.cancel, table, [state, *runs])

        found = [state, table, picture, name, *runs]
        alone(search, find, [table, number], found, "picture", waits=True)
        previewed = [table, slider, sizes, matte, command]
        alone(see, preview, [*pointed, full, *look], previewed, "slider")
        alone(versus, compare, [*pointed, full, *look], previewed, "slider")
        shown = [table, *result.shown, command]
        made = [state, *shown, *runs]
        alone(whole, render, [*pointed, *look], made, "state", waits=True)
        alone(part, render_part, [*pointed, first, last, *look], made, "state", waits=True)

        sides = [result.frame, result.wipe]
        on(result.frame.input, making.scrub, [table, result.frame], [result.wipe], **latest)
        choose(result.strip.select, making.go_to, table, [*sides, number, *views])
        on(result.renders.input, making.look_at, [table, result.renders], shown)
        on(result.remove.click, making.remove, table, shown)
        on(result.pack.click, making.pack, table, [result.archive]).then(None, js=_DOWNLOAD)
    return app


def _button(text: str, variant: Any, name: str, size: Any = "lg") -> gr.Button:
    """An initially disabled button."""
    return gr.Button(
        text, variant=variant, size=size, min_width=90, interactive=False, elem_id=name
    )
