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
#gallery .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)); }
#gallery .gallery-item, #gallery .thumbnail-item { min-width: 0; }
#gallery .caption-label {
    inset: auto 0 0 0; max-width: none; margin: 0; padding: 2px 4px; border-radius: 0;
    font-size: 12px; line-height: 1.2; text-align: center;
    white-space: normal; overflow-wrap: anywhere;
}
footer { display: none !important; }
"""

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
                    height=300,
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
                with gr.Accordion("Several objects", open=False):
                    kept = gr.Markdown("One object. Keep it to choose another, laid over it.")
                    with gr.Row():
                        keep = gr.Button("Keep, choose another", size="sm", elem_id="keep")
                        over = gr.Button("Start over", size="sm", elem_id="over")
            with gr.Column(scale=4, min_width=320):
                with gr.Tab("Preview and render"):
                    see = gr.Button("Preview this frame", variant="primary", elem_id="preview")
                    full = gr.Checkbox(False, label="At full size", elem_id="full")
                    slider = gr.ImageSlider(
                        label="Before and after", interactive=False, elem_id="slider", buttons=[]
                    )
                    sizes = gr.Markdown(elem_id="sizes")
                    matte = gr.Image(
                        label="Matte", interactive=False, height=200, elem_id="matte", buttons=[]
                    )
                    with gr.Row():
                        first = gr.Number(
                            0, label="First frame", precision=0, minimum=0, elem_id="first"
                        )
                        last = gr.Number(
                            0, label="Last frame", precision=0, minimum=0, elem_id="last"
                        )
                    with gr.Row():
                        part = gr.Button("Render this range", min_width=120, elem_id="part")
                        whole = gr.Button(
                            "Render the shot", variant="primary", min_width=120, elem_id="whole"
                        )
                        stop = gr.Button("Cancel", variant="stop", min_width=120, elem_id="cancel")
                    state = gr.HTML(elem_id="state")
                    result = gr.Video(label="Result", visible=False, elem_id="result", buttons=[])
                    files = gr.File(
                        label="Download", file_count="multiple", interactive=False, visible=False,
                        elem_id="files",
                    )  # fmt: skip
                    command = gr.Code(
                        label="The same from the command line", language="shell", lines=2,
                        max_lines=6, interactive=False, wrap_lines=True, elem_id="command",
                    )  # fmt: skip
                with gr.Tab("Live"):
                    live_tab(play, watch, actions.cancel, [table, number, brush], look)

        views, pointed = [picture, brush], [table, number, brush]
        by_kind = [table, kind, name, number], [table, name, *views, again]
        outputs = [state, result, files, command]
        app.unload(leave)
        clip.upload(take_clip, [table, clip], [table, number, *views, first, last])
        number.release(actions.show_frame, [table, number], [table, *views])
        kind.input(actions.choose_kind, *by_kind)
        again.click(actions.choose_kind, *by_kind)
        name.change(actions.call_it, [table, name], table)
        # No click is lost that comes before the last one's mark is there.
        picture.select(actions.point_at, [table, number], [table, picture], trigger_mode="multiple")
        gallery.select(actions.pick_style, table, table)
        more.upload(actions.add_styles, [table, more], [table, gallery])
        keep.click(actions.keep_object, pointed, [table, kept])
        over.click(actions.start_over, table, [table, kept])
        stop.click(actions.cancel, table, None, queue=False)
        # One job at a time goes to the device, whoever asks.
        _alone(see, preview, [*pointed, full, *look], [table, slider, sizes, matte, command])
        _alone(whole, render, [*pointed, *look], outputs)
        _alone(part, render_part, [*pointed, first, last, *look], outputs)
    return app


def _alone(button: gr.Button, action: Any, inputs: list[Any], outputs: list[Any]) -> None:
    button.click(action, inputs, outputs, concurrency_limit=1, concurrency_id=DEVICE)
