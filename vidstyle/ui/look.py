"""What a user sets of a look, and the options that come of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from vidstyle.choices import PRESERVED, TEMPORAL
from vidstyle.options import DEFAULTS, STYLE_SCALES, RenderOptions

#: Fields of the options, in the order of :func:`look_inputs`.
_FIELDS = ("strength", "detail", "style_scale", "feather", "temporal", "invert", "preserve")


def look_inputs() -> list[gr.components.Component]:
    """Lay the components out in the context that is open."""
    return [
        gr.Slider(0, 1, DEFAULTS.strength, label="Strength", elem_id="strength"),
        gr.Slider(0, 1, DEFAULTS.detail, label="Detail of the photograph"),
        gr.Slider(*STYLE_SCALES, DEFAULTS.style_scale, label="Size of the strokes"),
        gr.Slider(0, 64, DEFAULTS.feather, label="Feather, in pixels"),
        gr.Radio(list(TEMPORAL), value=DEFAULTS.temporal, label="Steady in time"),
        gr.Checkbox(DEFAULTS.invert, label="Style all but the object"),
        gr.Radio(list(PRESERVED), value=DEFAULTS.preserve, label="Keep of the plate"),
    ]


def with_look(options: RenderOptions, look: Sequence[Any]) -> RenderOptions:
    """The options with what the components hold."""
    return replace(options, **dict(zip(_FIELDS, look, strict=True)))
