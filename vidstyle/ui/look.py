"""The user's look settings, and the resulting options."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from vidstyle.choices import PRESERVED, TEMPORAL
from vidstyle.options import DEFAULTS, STYLE_SCALES, RenderOptions

#: A component for each option that is set on the page.
_INPUTS: dict[str, Callable[..., gr.components.Component]] = {
    "strength": partial(gr.Slider, 0, 1, label="Strength", elem_id="strength"),
    "detail": partial(gr.Slider, 0, 1, label="Plate detail"),
    "style_scale": partial(gr.Slider, *STYLE_SCALES, label="Stroke size"),
    "feather": partial(gr.Slider, 0, 64, label="Feather, in pixels"),
    "temporal": partial(gr.Radio, list(TEMPORAL), label="Temporal steadying"),
    "invert": partial(gr.Checkbox, label="Style everything except the object"),
    "preserve": partial(gr.Radio, list(PRESERVED), label="Preserve from the plate"),
}


def look_inputs() -> list[gr.components.Component]:
    """Lay out the components in the current context."""
    return [build(value=getattr(DEFAULTS, field)) for field, build in _INPUTS.items()]


def look_of(options: RenderOptions) -> list[str]:
    """Settings that differ from the defaults, in words: ``strength 0.5``."""
    changed = [(name, value) for name, value in options.changed() if name in _INPUTS]
    return [
        name if value is True else f"{name.replace('_', ' ')} {value}" for name, value in changed
    ]


def with_look(options: RenderOptions, look: Sequence[Any]) -> RenderOptions:
    """The options with the components' values."""
    return replace(options, **dict(zip(_INPUTS, look, strict=True)))
