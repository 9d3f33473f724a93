"""The part of the page that shows finished renders."""

from dataclasses import dataclass
from typing import Any

import gradio as gr


@dataclass(frozen=True)
class ResultPart:
    """Its components: most of those that :func:`vidstyle.ui.making.shown` updates, in that order,
    and two buttons."""

    whole: gr.Column
    renders: gr.Radio
    film: gr.Video
    frame: gr.Slider
    wipe: gr.ImageSlider
    strip: gr.Image
    files: gr.File
    archive: gr.File
    pack: gr.Button
    remove: gr.Button

    @property
    def shown(self) -> list[Any]:
        """The components that a render updates."""
        return [
            *(self.whole, self.renders, self.film, self.frame, self.wipe, self.strip),
            *(self.files, self.archive),
        ]


def result_part() -> ResultPart:
    """Lay it out in the current context, hidden until there is a render."""
    with gr.Column(visible=False, elem_id="made") as whole:
        renders = gr.Radio([], label="Renders", elem_id="renders")
        film = gr.Video(label="Result", elem_id="result", buttons=[])
        frame = gr.Slider(0, 1, 0, step=1, label="Frame of the result", elem_id="scrub")
        wipe = gr.ImageSlider(
            label="Plate left, result right", format="jpeg", interactive=False, elem_id="wipe",
            buttons=["fullscreen"],
        )  # fmt: skip
        strip = gr.Image(
            label="Matte confidence: click to go to a frame", interactive=False,
            elem_id="confidence", buttons=[],
        )  # fmt: skip
        with gr.Row():
            pack = gr.Button("Download all", size="sm", min_width=140, elem_id="pack")
            remove = gr.Button("Remove this render", size="sm", min_width=140, elem_id="remove")
        archive = gr.File(
            label="Everything, with the command line as a script", interactive=False,
            visible=False, elem_id="archive",
        )  # fmt: skip
        files = gr.File(label="Download", file_count="multiple", interactive=False, elem_id="files")
    return ResultPart(whole, renders, film, frame, wipe, strip, files, archive, pack, remove)
