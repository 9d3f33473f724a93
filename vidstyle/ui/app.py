"""The page: what stands where, and which action each part of it calls."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from vidstyle.options import RenderOptions
from vidstyle.segment.detectors.coco import NAMES
from vidstyle.ui import actions
from vidstyle.ui.desk import Desks
from vidstyle.ui.live_tab import DEVICE, live_tab
from vidstyle.ui.look import look_inputs, with_look
from vidstyle.ui.selection import KINDS, Image
from vidstyle.ui.table import Table

CSS = """
.gradio-container { max-width: 1400px !important; margin: auto; }
.bar { height: 8px; border-radius: 4px; background: var(--border-color-primary); }
.bar > div { height: 8px; border-radius: 4px; background: var(--color-accent); }
#screen img { width: 100%; }
/* Seen wherever the page is scrolled to. */
#trouble:has(p) { position: fixed; inset: 0 0 auto 0; z-index: 1001; width: auto; }
#hint { padding: 0; }
#confidence { padding-top: 30px; }
#trouble p {
    margin: 0; padding: 10px 14px; border-radius: 6px; border-left: 4px solid #c0392b;
    background: #fdecea; color: #611a15;
}
@media (max-width: 768px) {
    #actions {
        position: fixed; inset: auto 0 0 0; z-index: 1000; padding: 8px; gap: 6px;
        background: var(--body-background-fill); flex-wrap: nowrap; align-items: stretch;
        border-top: 1px solid var(--border-color-primary);
    }
    #actions button { min-width: 0 !important; padding: 10px 4px; font-size: 14px; }
    #slider, #state { scroll-margin-bottom: 90px; }
    .gradio-container { padding-bottom: 90px !important; }
}
#gallery .grid-wrap { height: auto; min-height: 0; max-height: 300px; }
#gallery .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)); }
#gallery .gallery-item, #gallery .thumbnail-item { min-width: 0; }
#gallery .caption-label {
    inset: auto 0 0 0; max-width: none; margin: 0; padding: 2px 4px; border-radius: 0;
    font-size: 12px; line-height: 1.2; text-align: center;
    white-space: normal; overflow-wrap: anywhere;
}
footer { display: none !important; }
"""

_SCROLL = "() => document.querySelector('#ID').scrollIntoView({ block: 'nearest' })"

_PICTURES = [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"]
_CLIPS = [".mp4", ".mov", ".mkv", ".webm", ".avi", ".mxf", ".m4v"]
_DAY = 24 * 3600


def build_app(styles: Sequence[Path], desks: Desks, options: RenderOptions) -> gr.Blocks:
    """The page.

    Args:
        styles: pictures that everybody may choose from.
        desks: take the clips.
        options: model and device.

    Raises:
        MediaError: a style picture cannot be read.
    """

    def take_clip(table: Table, upload: str | None, asked: gr.Request) -> Any:
        return actions.take_clip(table, upload, desks, asked.session_hash or "")

    def leave(asked: gr.Request) -> None:
        desks.leave(asked.session_hash or "")

    def preview(table: Table, number: float, canvas: actions.Canvas, full: bool, *look: Any) -> Any:
        return actions.preview(table, number, canvas, full, with_look(options, look))

    def render(table: Table, number: float, canvas: actions.Canvas, *look: Any) -> Iterator[Any]:
        yield from actions.render(table, number, canvas, with_look(options, look))

    def render_part(
        table: Table, number: float, canvas: actions.Canvas, first: int, last: int, *look: Any
    ) -> Iterator[Any]:
        chosen = replace(with_look(options, look), first=int(first), last=int(last))
        yield from actions.render(table, number, canvas, chosen)

    def play(table: Table, number: float, canvas: actions.Canvas, *look: Any) -> Iterator[str]:
        yield from actions.play(table, number, canvas, with_look(options, look))

    def watch(table: Table, image: Image | None, clock: actions.Clock, *look: Any) -> str:
        return actions.watch(table, image, clock, with_look(options, look))

    app = gr.Blocks(title="vidstyle", analytics_enabled=False, delete_cache=(3600, _DAY))
    with app:
        begin = Table(None, list(styles))
        table = gr.State(begin, time_to_live=_DAY, delete_callback=Table.clear)
        gr.Markdown("# vidstyle\nRestyle one object of a shot, and leave every other pixel alone.")
        trouble = gr.HTML(elem_id="trouble", padding=False)
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                clip = gr.File(label="1 · Clip", file_types=_CLIPS, height=110, elem_id="clip")
                number = gr.Slider(0, 1, 0, step=1, label="Frame", visible=False, elem_id="frame")
                kind = gr.Radio(list(KINDS), value=KINDS[0], label="2 · Object", elem_id="kind")
                name = gr.Dropdown(
                    sorted(NAMES),
                    value="person",
                    allow_custom_value=True,
                    label="What to look for: person, or person#2 for the second one",
                    visible=False,
                    elem_id="name",
                )
                picture = gr.Image(
                    label="The frame", interactive=False, elem_id="picture", buttons=[]
                )
                brush = gr.ImageEditor(
                    label="Paint over the object",
                    visible=False,
                    brush=gr.Brush(default_size=24, colors=["#ff4040"], color_mode="fixed"),
                    transforms=(),
                    sources=(),
                    layers=False,
                    elem_id="brush",
                )
                again = gr.Button("Point again", size="sm", visible=False, elem_id="again")
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
                more = gr.UploadButton(
                    "Upload style pictures",
                    file_count="multiple",
                    file_types=_PICTURES,
                    size="sm",
                    elem_id="styles",
                )
                with gr.Accordion("Look", open=False):
                    look = look_inputs()
                with gr.Accordion("Painted frames", open=False):
                    painted = gr.Markdown(actions.NOTHING_PAINTED, elem_id="painted")
                    with gr.Row():
                        key = gr.UploadButton(
                            "Upload this frame, painted",
                            file_types=_PICTURES,
                            size="sm",
                            elem_id="key",
                        )
                        unpaint = gr.Button("Forget them", size="sm", elem_id="unpaint")
                with gr.Accordion("Several objects", open=False):
                    kept = gr.Markdown("One object. Keep it to choose another, laid over it.")
                    with gr.Row():
                        keep = gr.Button("Keep, choose another", size="sm", elem_id="keep")
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
                    result = gr.Video(label="Result", visible=False, elem_id="result", buttons=[])
                    strip = gr.Image(
                        label="Confidence: click to go there",
                        interactive=False, visible=False, elem_id="confidence", buttons=[],
                    )  # fmt: skip
                    files = gr.File(
                        label="Download", file_count="multiple", interactive=False, visible=False,
                        elem_id="files",
                    )  # fmt: skip
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
                        label="The same from the command line", language="shell", lines=2,
                        max_lines=6, interactive=False, wrap_lines=True, elem_id="command",
                    )  # fmt: skip
                with gr.Tab("Live"):
                    live_tab(
                        actions.plainly(play, 1),
                        watch,
                        actions.plainly(actions.cancel, 0),
                        [table, number, brush],
                        look,
                        trouble,
                    )

        views, pointed = [picture, brush], [table, number, brush]
        by_kind = [table, kind, name, number], [table, name, *views, again]
        buttons = [see, part, whole]
        outputs = [state, result, strip, files, command, *buttons, stop]

        def on(event: Any, action: Any, inputs: Any, outputs: list[Any], **how: Any) -> Any:
            """Have an event call an action, whose trouble is told at the head of the page.

            Only jobs are queued. Gradio answers queued actions on one stream, which it closes
            after the last; an action that joins the queue while the closing is on its way to the
            browser is answered on no stream at all, and the page waits for ever.
            """
            how.setdefault("queue", False)
            told = actions.plainly(action, len(outputs))
            # What waits is what will change: the head of the page stands still.
            waits = [each for each in outputs if each is not table]
            if waits:
                how["show_progress_on"] = waits
            else:
                how["show_progress"] = "hidden"
            return event(told, inputs, [trouble, *outputs], **how)

        def choose(event: Any, action: Any, inputs: Any, outputs: list[Any], **how: Any) -> None:
            """The same of an action after which something else may be missing."""
            on(event, action, inputs, outputs, **how).then(
                actions.ready, table, [hint, *buttons], show_progress="hidden", queue=False
            )

        def alone(
            button: gr.Button, action: Any, inputs: list[Any], outputs: list[Any], seen: str
        ) -> None:
            """One job at a time goes to the device, whoever asks; the page scrolls to what comes
            of it."""
            how = {"queue": True, "concurrency_limit": 1, "concurrency_id": DEVICE}
            choose(button.click, action, inputs, outputs, **how)
            button.click(None, js=_SCROLL.replace("ID", seen))

        app.unload(leave)
        taken = [table, number, *views, first, last, painted]
        choose(clip.upload, take_clip, [table, clip], taken)
        choose(number.release, actions.show_frame, [table, number], [table, *views])
        choose(strip.select, actions.go_to, table, [table, number, *views])
        choose(key.upload, actions.add_key, [table, key, number], [table, painted])
        choose(unpaint.click, actions.drop_keys, table, [table, painted])
        choose(kind.input, actions.choose_kind, *by_kind)
        choose(again.click, actions.choose_kind, *by_kind)
        choose(name.change, actions.call_it, [table, name], [table])
        # No click is lost that comes before the last one's mark is there.
        choose(picture.select, actions.point_at, [table, number], [table, picture],
               trigger_mode="multiple")  # fmt: skip
        choose(gallery.select, actions.pick_style, table, [table])
        choose(more.upload, actions.add_styles, [table, more], [table, gallery])
        choose(keep.click, actions.keep_object, pointed, [table, kept, painted])
        choose(over.click, actions.start_over, table, [table, kept])
        on(stop.click, actions.cancel, table, [])
        seen = [table, slider, sizes, matte, command]
        alone(see, preview, [*pointed, full, *look], seen, "slider")
        alone(whole, render, [*pointed, *look], outputs, "state")
        alone(part, render_part, [*pointed, first, last, *look], outputs, "state")
    return app


def _button(text: str, variant: Any, name: str) -> gr.Button:
    """One that cannot be pressed yet."""
    return gr.Button(text, variant=variant, min_width=90, interactive=False, elem_id=name)
